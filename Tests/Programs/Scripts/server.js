require('http').createServer((question, answer) => {
    let count = 0;
    question.on('data', (bytes) => { count += bytes.length; });
    question.on('end', () => answer.end(`${question.method} ${count}\n`));
}).listen(8080);
