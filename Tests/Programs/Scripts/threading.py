import queue, threading, time
tasks, results, lock = queue.Queue(), [], threading.Lock()


def work():
    while (task := tasks.get()) is not None:
        with lock:
            results.append(task * task)


threads = [threading.Thread(target=work) for _ in range(8)]
for thread in threads:
    thread.start()
for task in range(1000):
    tasks.put(task)
for thread in threads:
    tasks.put(None)
for thread in threads:
    thread.join()
print(len(results), sum(results), threading.Event().wait(0.05))
begin = time.monotonic()
time.sleep(0.05)
print(time.monotonic() - begin >= 0.05)
