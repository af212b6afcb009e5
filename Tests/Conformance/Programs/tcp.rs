// Rust: a threaded TCP server and its clients in one program, panics that are caught, channels.
// tcp alone is a check; tcp serve ADDRESS serves.
use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{mpsc, Arc, Mutex};
use std::{env, fs, panic, thread, time::Duration};

fn shown(what: &str, value: impl std::fmt::Display) {
    println!("rust: {} = {}", what, value);
}

fn serve_one(stream: TcpStream, counts: Arc<Mutex<HashMap<String, usize>>>) -> std::io::Result<()> {
    let mut writer = stream.try_clone()?;
    for line in BufReader::new(stream).lines() {
        let line = line?;
        *counts.lock().unwrap().entry(line.clone()).or_insert(0) += 1;
        writeln!(writer, "{}", line.chars().rev().collect::<String>())?;
    }
    Ok(())
}

fn serve(listener: TcpListener, counts: Arc<Mutex<HashMap<String, usize>>>) {
    for stream in listener.incoming().flatten() {
        let counts = counts.clone();
        thread::spawn(move || serve_one(stream, counts));
    }
}

fn client(address: &str, index: usize) -> std::io::Result<usize> {
    let stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut writer = stream;
    let mut correct = 0;
    for round in 0..100 {
        writeln!(writer, "client {} round {}", index, round % 10)?;
        let mut line = String::new();
        reader.read_line(&mut line)?;
        let back: String = line.trim_end().chars().rev().collect();
        correct += (back == format!("client {} round {}", index, round % 10)) as usize;
    }
    Ok(correct)
}

fn main() {
    let words: Vec<String> = env::args().collect();
    let counts = Arc::new(Mutex::new(HashMap::new()));
    if words.len() > 2 && words[1] == "serve" {
        serve(TcpListener::bind(&words[2]).expect("bind"), counts);
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").expect("bind");
    let address = listener.local_addr().unwrap().to_string();
    let shared = counts.clone();
    thread::spawn(move || serve(listener, shared));
    let clients: Vec<_> = (0..20).map(|index| { let address = address.clone(); thread::spawn(move || client(&address, index)) }).collect();
    let correct: usize = clients.into_iter().map(|client| client.join().unwrap().unwrap_or(0)).sum();
    shown("lines that came back", correct);
    shown("different lines", counts.lock().unwrap().len());

    panic::set_hook(Box::new(|_| {}));
    let result = panic::catch_unwind(|| { let none: Vec<i32> = Vec::new(); none[env::args().count() + 5] });
    shown("a panic that was caught", result.is_err());
    let joined = thread::spawn(|| panic!("in a thread")).join();
    shown("a thread that panicked", joined.is_err());

    let (sender, receiver) = mpsc::channel();
    for index in 0..10 {
        let sender = sender.clone();
        thread::spawn(move || { thread::sleep(Duration::from_millis(index)); sender.send(index).unwrap() });
    }
    drop(sender);
    shown("a sum by a channel", receiver.iter().sum::<u64>());
    let file = env::temp_dir().join("conformance-rust");
    fs::write(&file, vec![7u8; 100_000]).unwrap();
    let mut bytes = Vec::new();
    fs::File::open(&file).unwrap().read_to_end(&mut bytes).unwrap();
    shown("bytes of a file", bytes.iter().map(|byte| *byte as usize).sum::<usize>());
    fs::remove_file(&file).unwrap();
    shown("a closed port", TcpStream::connect("127.0.0.1:1").is_err());
}
