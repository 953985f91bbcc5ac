// One example at a time: a key or a button gives its class, the server saves it, the next one that has none is shown.

import { ask, Refused } from "./api.js";

// A class that is one sign has that as its key, so that 3 is 3; the others have these as far as they go.
const KEYS = "123456789abcdefghijklmnopqrstuvwxyz";
const NONE = ["0", "-"];
const TINY = 96;
const STOPPED = "The server does not answer, so this answer is not saved. Start it again with acclimate serve, then try again.";

const at = (id) => document.getElementById(id);
let asked = null;
let keys = [];
let place = 0;
let busy = false;
let again = null;
const given = [];

const left = () => asked.items.filter((item) => item.label === null).length;

async function start() {
  try {
    asked = await ask("questions");
  } catch (error) {
    return failed(error, start);
  }
  quiet();
  at("about").textContent = asked.title;
  document.title = `Audit: ${asked.title}`;
  at("progress").max = asked.items.length;
  keys = keys_of(asked.classes.slice(0, -1));
  at("classes").replaceChildren(...asked.classes.map(button));
  place = Math.max(0, asked.items.findIndex((item) => item.label === null));
  show();
}

function keys_of(classes) {
  const own = classes.map((name) => (/^[0-9a-z]$/i.test(name) ? name.toLowerCase() : ""));
  const taken = own.filter((sign, i) => sign && own.indexOf(sign) === i);
  const free = [...KEYS].filter((sign) => !taken.includes(sign));
  const found = own.map((sign, i) => (sign && own.indexOf(sign) === i ? sign : (free.shift() ?? "")));
  return [...found, NONE.find((sign) => !taken.includes(sign))];
}

function button(name, number) {
  const made = document.createElement("button");
  made.type = "button";
  made.className = number === asked.classes.length - 1 ? "none" : "";
  const called = document.createElement("span");
  called.textContent = name;
  made.append(called);
  if (keys[number]) {
    const cap = document.createElement("kbd");
    cap.textContent = keys[number];
    cap.setAttribute("aria-hidden", "true");
    made.append(cap);
    made.setAttribute("aria-keyshortcuts", keys[number]);
  }
  made.addEventListener("click", () => give(name));
  return made;
}

function show() {
  const item = asked.items[place];
  const picture = at("picture");
  picture.hidden = item.kind !== "file";
  if (item.kind === "file") {
    picture.onload = () => picture.classList.toggle("tiny", picture.naturalWidth <= TINY);
    picture.onerror = () => notice("The picture cannot be shown. Put its file back, or label it in a spreadsheet.", null);
    picture.src = `api/pictures/${encodeURIComponent(item.name)}`;
  }
  at("text").hidden = item.kind === "file" || item.kind === "nothing";
  at("text").textContent = item.text;
  at("text").scrollTop = 0;
  at("where").textContent = item.id;
  at("example-heading").textContent = `Example ${place + 1} of ${asked.items.length}`;
  [...at("classes").children].forEach((one, i) => one.setAttribute("aria-pressed", String(asked.classes[i] === item.label)));
  at("back").disabled = place === 0;
  at("next").disabled = place === asked.items.length - 1;
  at("undo").disabled = given.length === 0;
  progress();
}

function progress() {
  const labelled = asked.items.length - left();
  at("progress").value = labelled;
  at("status").textContent = `${labelled} of ${asked.items.length} labelled, saved in ${asked.saved}`;
  at("done").hidden = left() > 0;
  if (left() > 0) return;
  const code = document.createElement("code");
  code.textContent = asked.command;
  at("done").replaceChildren("All are labelled. The accuracy: ", code);
}

async function keep(number, label) {
  if (busy) return false;
  busy = true;
  try {
    await ask(`questions/${encodeURIComponent(asked.items[number].name)}`, {
      method: "PUT",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ label }),
    });
  } catch (error) {
    failed(error, () => keep(number, label).then((kept) => kept && show()));
    return false;
  } finally {
    busy = false;
  }
  quiet();
  asked.items[number].label = label;
  return true;
}

async function give(label) {
  const number = place;
  const before = asked.items[number].label;
  if (!(await keep(number, label))) return;
  given.push({ number, before });
  const open = asked.items.findIndex((item, i) => i > number && item.label === null);
  const first = asked.items.findIndex((item) => item.label === null);
  place = open >= 0 ? open : first >= 0 ? first : number;
  show();
}

async function undo() {
  const last = given.at(-1);
  if (!last || !(await keep(last.number, last.before))) return;
  given.pop();
  place = last.number;
  show();
}

function move(by) {
  place = Math.min(asked.items.length - 1, Math.max(0, place + by));
  show();
}

function notice(text, retry) {
  at("notice-text").textContent = text;
  at("retry").hidden = retry === null;
  again = retry;
  at("notice").hidden = false;
}

function quiet() {
  at("notice").hidden = true;
}

function failed(error, retry) {
  notice(error instanceof Refused ? error.message : STOPPED, retry);
}

at("back").addEventListener("click", () => move(-1));
at("next").addEventListener("click", () => move(1));
at("undo").addEventListener("click", undo);
at("retry").addEventListener("click", () => again?.());
document.addEventListener("keydown", (event) => {
  if (!asked || event.altKey || event.isComposing) return;
  const command = event.ctrlKey || event.metaKey;
  const act = () => event.preventDefault();
  if ((command && event.key.toLowerCase() === "z") || event.key === "Backspace") return act(), void undo();
  if (command) return;
  if (event.key === "ArrowLeft" || event.key === "ArrowRight") return act(), move(event.key === "ArrowLeft" ? -1 : 1);
  const number = keys.indexOf(event.key.toLowerCase());
  if (number >= 0) return act(), void give(asked.classes[number]);
});
start();
