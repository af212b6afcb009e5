// C++: threads, exceptions through frames and across libraries, streams, thread-local objects, futures.
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <fstream>
#include <future>
#include <iomanip>
#include <iostream>
#include <map>
#include <memory>
#include <mutex>
#include <numeric>
#include <random>
#include <regex>
#include <shared_mutex>
#include <sstream>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

template <class Value> static void shown(const std::string &what, const Value &value) {
    std::cout << "cxx: " << what << " = " << std::boolalpha << value << std::endl;
}

static int unwound;
struct Trace {
    ~Trace() { unwound++; }
};

static int deep(int depth) {
    Trace trace;
    if (depth == 0) throw std::out_of_range("the bottom");
    return deep(depth - 1) + 1;
}

static void exceptions() {
    try {
        deep(100);
    } catch (const std::logic_error &error) {
        shown("an exception through frames", error.what());
    }
    shown("destructors that ran", unwound);
    int caught = 0;
    for (int round = 0; round < 10000; round++) {
        try {
            throw round;
        } catch (int value) {
            caught += value & 1;
        }
    }
    shown("ten thousand exceptions", caught);
    try {
        try {
            throw std::runtime_error("inner");
        } catch (...) {
            std::throw_with_nested(std::runtime_error("outer"));
        }
    } catch (const std::exception &error) {
        try {
            std::rethrow_if_nested(error);
        } catch (const std::exception &inner) {
            shown("nested", std::string(error.what()) + ", " + inner.what());
        }
    }
    try {
        std::vector<int>().at(5);
    } catch (const std::out_of_range &) {
        shown("thrown by the library", true);
    }
    try {
        std::stoi("not a number");
    } catch (const std::invalid_argument &error) {
        shown("and by another", error.what());
    }
    try {
        std::vector<char> large(size_t(1) << 46);
    } catch (const std::bad_alloc &) {
        shown("no memory", true);
    }
    std::exception_ptr kept;
    std::thread([&] {
        try {
            deep(5);
        } catch (...) {
            kept = std::current_exception();
        }
    }).join();
    try {
        std::rethrow_exception(kept);
    } catch (const std::exception &error) {
        shown("from another thread", error.what());
    }
}

static thread_local std::vector<int> mine;
static void threads() {
    std::mutex mutex;
    std::condition_variable condition;
    std::vector<std::thread> all;
    std::map<int, int> counts;
    int arrived = 0;
    for (int index = 0; index < 16; index++) {
        all.emplace_back([&, index] {
            for (int value = 0; value <= index; value++) mine.push_back(value);
            std::unique_lock lock(mutex);
            counts[index] = std::accumulate(mine.begin(), mine.end(), 0);
            arrived++;
            condition.notify_all();
            condition.wait(lock, [&] { return arrived == 16; });
        });
    }
    for (auto &thread : all) thread.join();
    int sum = 0;
    for (auto [index, count] : counts) sum += count * (index + 1);
    shown("sixteen threads", sum);
    std::atomic<long> counter{0};
    all.clear();
    for (int index = 0; index < 4; index++)
        all.emplace_back([&] {
            for (int round = 0; round < 100000; round++) counter.fetch_add(1, std::memory_order_relaxed);
        });
    for (auto &thread : all) thread.join();
    shown("an atomic", counter.load());
    std::vector<std::future<int>> results;
    for (int index = 0; index < 8; index++) results.push_back(std::async(std::launch::async, [index] { return index * index; }));
    int squares = 0;
    for (auto &result : results) squares += result.get();
    shown("futures", squares);
    auto failing = std::async(std::launch::async, []() -> int { throw std::runtime_error("in a future"); });
    try {
        failing.get();
    } catch (const std::exception &error) {
        shown("an exception of a future", error.what());
    }
    std::shared_mutex shared;
    std::shared_lock one(shared), two(shared);
    shown("two readers, no writer", !shared.try_lock());
    std::promise<void> never;
    shown("a future that is not ready", never.get_future().wait_for(std::chrono::milliseconds(10)) == std::future_status::timeout);
    static std::once_flag once;
    int calls = 0;
    for (int round = 0; round < 3; round++) std::call_once(once, [&] { calls++; });
    shown("once", calls);
}

static void streams(const char *folder) {
    std::string path = std::string(folder) + "/conformance-cxx";
    {
        std::ofstream file(path);
        for (int line = 0; line < 1000; line++) file << "line " << line << " " << std::setprecision(4) << line / 7.0 << "\n";
    }
    std::ifstream file(path);
    std::string line, last;
    size_t count = 0, bytes = 0;
    while (std::getline(file, line)) count++, bytes += line.size(), last = line;
    shown("lines", count);
    shown("bytes", bytes);
    shown("the last", last);
    std::remove(path.c_str());
    std::ifstream missing(path);
    shown("a file that is not there", missing.is_open());
    std::ostringstream text;
    text << std::hex << std::setw(8) << std::setfill('0') << 0xbeef << " " << std::fixed << 3.14159;
    shown("formatted", text.str());
    std::smatch match;
    std::string words = "key=value";
    shown("a regular expression", std::regex_match(words, match, std::regex("(\\w+)=(\\w+)")) ? match[2].str() : "none");
    std::mt19937 generator(42);
    shown("the generator's first", generator());
    auto begin = std::chrono::steady_clock::now();
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    shown("sleep", std::chrono::steady_clock::now() - begin >= std::chrono::milliseconds(10));
}

int main() {
    const char *folder = getenv("SCRATCH");
    exceptions();
    threads();
    streams(folder ? folder : "/tmp");
    return 0;
}
