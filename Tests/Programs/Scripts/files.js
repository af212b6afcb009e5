const fs = require('fs');
const path = '/tmp/brique-node';
fs.writeFileSync(path, 'x'.repeat(1e5));
console.log(fs.statSync(path).size);
fs.promises.readFile(path).then((bytes) => {
    console.log(bytes.length, require('crypto').createHash('sha1').update(bytes).digest('hex'));
    fs.unlinkSync(path);
});
setTimeout(() => console.log('timer'), 100);
