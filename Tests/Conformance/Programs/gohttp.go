// Go: goroutines, an HTTP server and its clients in one program, garbage collection under load, one goroutine that spins.
// gohttp alone is a check; gohttp serve ADDRESS serves.
package main

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync"
	"time"
)

func shown(what string, value any) { fmt.Printf("go: %s = %v\n", what, value) }

func handler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("/", func(answer http.ResponseWriter, request *http.Request) { fmt.Fprintln(answer, "hello from Go") })
	mux.HandleFunc("/echo", func(answer http.ResponseWriter, request *http.Request) {
		body, _ := io.ReadAll(request.Body)
		answer.Write(body)
	})
	mux.HandleFunc("/json", func(answer http.ResponseWriter, request *http.Request) {
		json.NewEncoder(answer).Encode(map[string]int{"answer": 42})
	})
	mux.HandleFunc("/garbage", func(answer http.ResponseWriter, request *http.Request) {
		fmt.Fprintln(answer, garbage(200))
	})
	return mux
}

// Makes a tree, forgets it, and makes another: the collector has to follow.
type node struct {
	left, right *node
	text        string
}

func tree(depth int) *node {
	if depth == 0 {
		return &node{text: strings.Repeat("x", 10)}
	}
	return &node{tree(depth - 1), tree(depth - 1), ""}
}

func (tree *node) count() int {
	if tree == nil {
		return 0
	}
	return 1 + tree.left.count() + tree.right.count()
}

func garbage(rounds int) int {
	total := 0
	for round := 0; round < rounds; round++ {
		total += tree(10).count()
	}
	return total
}

func channels() {
	numbers, sums := make(chan int), make(chan int)
	for worker := 0; worker < 100; worker++ {
		go func() {
			sum := 0
			for number := range numbers {
				sum += number
			}
			sums <- sum
		}()
	}
	for number := 1; number <= 10000; number++ {
		numbers <- number
	}
	close(numbers)
	total := 0
	for worker := 0; worker < 100; worker++ {
		total += <-sums
	}
	shown("a sum by a hundred goroutines", total)
	select {
	case <-time.After(10 * time.Millisecond):
		shown("a timer", "fired")
	case <-sums:
	}
}

func requests(address string) {
	var group sync.WaitGroup
	var mutex sync.Mutex
	correct := 0
	for client := 0; client < 20; client++ {
		group.Add(1)
		go func(client int) {
			defer group.Done()
			text := strings.Repeat(fmt.Sprint(client), 5000)
			for round := 0; round < 10; round++ {
				answer, failure := http.Post("http://"+address+"/echo", "text/plain", strings.NewReader(text))
				if failure != nil {
					shown("failure", failure)
					return
				}
				body, _ := io.ReadAll(answer.Body)
				answer.Body.Close()
				mutex.Lock()
				if string(body) == text {
					correct++
				}
				mutex.Unlock()
			}
		}(client)
	}
	group.Wait()
	shown("echoes of twenty clients", correct)
}

func failures() {
	defer func() { shown("a panic that was recovered", recover()) }()
	var nothing *node
	fmt.Println(nothing.text)
}

func main() {
	go func() {
		for sum := 0; ; sum++ {
		}
	}()
	if len(os.Args) > 2 && os.Args[1] == "serve" {
		fmt.Println(http.ListenAndServe(os.Args[2], handler()))
		os.Exit(1)
	}
	channels()
	shown("nodes made", garbage(500))
	runtime.GC()
	var memory runtime.MemStats
	runtime.ReadMemStats(&memory)
	shown("collected", memory.NumGC > 1)
	failures()
	shown("a digest", fmt.Sprintf("%x", sha256.Sum256([]byte("brique")))[:16])
	listener, failure := net.Listen("tcp", "127.0.0.1:0")
	if failure != nil {
		shown("listen", failure)
		os.Exit(1)
	}
	go http.Serve(listener, handler())
	requests(listener.Addr().String())
	answer, failure := http.Get("http://" + listener.Addr().String() + "/json")
	if failure == nil {
		body, _ := io.ReadAll(answer.Body)
		shown("json", strings.TrimSpace(string(body)))
	}
	_, failure = net.DialTimeout("tcp", "127.0.0.1:1", time.Second)
	shown("a closed port", failure != nil)
	file := os.TempDir() + "/conformance-go"
	os.WriteFile(file, []byte("text"), 0o600)
	text, _ := os.ReadFile(file)
	shown("a file", string(text))
	os.Remove(file)
}
