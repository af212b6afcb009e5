// Java: threads, one of which spins, an HTTP server with its clients, garbage under pressure, null checks by faults.
// Spin alone is a check; Spin serve PORT serves.
import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;

public class Spin {
    static volatile long turns;

    static void shown(String what, Object value) { System.out.println("java: " + what + " = " + value); }

    static HttpServer serve(int port) throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress(port), 50);
        server.createContext("/", exchange -> {
            byte[] body = exchange.getRequestBody().readAllBytes();
            byte[] answer = body.length > 0 ? body : "hello from Java\n".getBytes(StandardCharsets.UTF_8);
            exchange.sendResponseHeaders(200, answer.length);
            exchange.getResponseBody().write(answer);
            exchange.close();
        });
        server.setExecutor(Executors.newFixedThreadPool(8));
        server.start();
        return server;
    }

    static long garbage(int rounds) {
        long total = 0;
        List<byte[]> kept = new ArrayList<>();
        for (int round = 0; round < rounds; round++) {
            byte[] block = new byte[10_000];
            block[round % 10_000] = 1;
            if (round % 100 == 0) kept.add(block);
            if (kept.size() > 200) kept.clear();
            total += block[round % 10_000];
        }
        return total;
    }

    static int length(String text) { return text.length(); }

    static int nulls() {
        int caught = 0;
        for (int round = 0; round < 20_000; round++) {
            try {
                caught += length(round % 2 == 0 ? null : "") * 0;
            } catch (NullPointerException failure) {
                caught++;
            }
        }
        return caught;
    }

    static int descend(int depth) { return descend(depth + 1) + 1; }

    public static void main(String[] words) throws Exception {
        Thread spinner = new Thread(() -> { while (true) turns++; });
        spinner.setDaemon(true);
        spinner.start();
        if (words.length > 1 && words[0].equals("serve")) {
            serve(Integer.parseInt(words[1]));
            return;
        }
        HttpServer server = serve(0);
        HttpClient client = HttpClient.newHttpClient();
        URI address = URI.create("http://127.0.0.1:" + server.getAddress().getPort() + "/");
        var pool = Executors.newFixedThreadPool(8);
        List<Future<Boolean>> answers = new ArrayList<>();
        for (int index = 0; index < 40; index++) {
            String text = "request " + index;
            HttpRequest request = HttpRequest.newBuilder(address).POST(HttpRequest.BodyPublishers.ofString(text)).build();
            Callable<Boolean> call = () -> client.send(request, HttpResponse.BodyHandlers.ofString()).body().equals(text);
            answers.add(pool.submit(call));
        }
        int correct = 0;
        for (var answer : answers) if (answer.get()) correct++;
        shown("answers", correct);
        shown("blocks made", garbage(50_000));
        shown("null pointers caught", nulls());
        try {
            descend(0);
        } catch (StackOverflowError failure) {
            shown("a stack overflow was caught", true);
        }
        int zero = words.length;
        try {
            shown("a division by zero", 1 / zero);
        } catch (ArithmeticException failure) {
            shown("a division by zero", failure.getMessage());
        }
        var file = Files.createTempFile("conformance", null);
        Files.writeString(file, "text");
        shown("a file", Files.readString(file));
        Files.delete(file);
        shown("the spinning thread has run", turns > 0);
        server.stop(0);
        System.exit(7);
    }
}
