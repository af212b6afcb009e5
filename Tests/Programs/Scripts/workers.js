const { Worker } = require('worker_threads');
const work = `
    const { parentPort, workerData } = require("worker_threads");
    let sum = 0;
    for (let index = 0; index < 1e6; index++) sum += index % (workerData + 2);
    parentPort.postMessage(sum);`;
let count = 0, sum = 0;
for (let index = 0; index < 4; index++) {
    new Worker(work, { eval: true, workerData: index }).on('message', (message) => {
        sum += message;
        if (++count === 4) console.log(sum);
    });
}
