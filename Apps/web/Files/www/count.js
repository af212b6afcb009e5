const numbers = document.getElementById("numbers");
const count = document.getElementById("count");

async function showNumbers() {
  const answer = await (await fetch("json")).json();
  numbers.replaceChildren(...Object.entries(answer).map(([name, value]) => {
    const row = document.createElement("tr");
    for (const text of [name, value]) row.insertCell().textContent = text;
    return row;
  }));
}

async function showCount() {
  const reader = (await fetch("count?n=20&ms=200")).body.getReader();
  const decoder = new TextDecoder();
  for (let part = await reader.read(); !part.done; part = await reader.read())
    count.textContent += decoder.decode(part.value).replaceAll("\n", " ");
}

showNumbers();
setInterval(showNumbers, 2000);
showCount();
