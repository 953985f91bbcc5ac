// The page of a run that reads texts or rows: what is asked, what was answered, and what went wrong.

import { ask, Refused, Unreachable } from "./api.js";
import * as show from "./show.js";

const STOPPED = "The server does not answer. It may have been stopped: start it again with acclimate serve, then ask again.";
const MOST_SHOWN = 200;

const at = (id) => document.getElementById(id);
let info = null;
let asking = null;

const texts = () => info.takes === "texts";

// A text a line; rows as JSON, a list or a line each.
function written() {
  const lines = at("examples").value.split("\n").filter((line) => line.trim());
  if (texts()) return lines;
  try {
    const whole = JSON.parse(at("examples").value);
    return Array.isArray(whole) && (info.columns.length || whole.every(Array.isArray)) ? whole : [whole];
  } catch {
    return lines.map((line) => JSON.parse(line));
  }
}

async function answer() {
  asking?.abort();
  const mine = (asking = new AbortController());
  quiet();
  at("answers").classList.add("busy");
  try {
    info ??= await begin();
    const examples = written();
    if (!examples.length) return;
    const body = JSON.stringify({ [info.takes]: examples });
    const found = await ask("predict", { method: "POST", body, headers: { "Content-Type": "application/json" }, signal: mine.signal });
    if (!mine.signal.aborted) answered(examples, found);
  } catch (error) {
    if (!mine.signal.aborted) failed(error);
  } finally {
    if (asking === mine) at("answers").classList.remove("busy");
  }
}

function answered(examples, { predictions, notes }) {
  at("status").textContent = notes.join(" ");
  if (predictions.length === 1) {
    show.classes(at("classes"), predictions[0], info.baseline);
    return;
  }
  const shown = predictions.slice(0, MOST_SHOWN);
  if (shown.length < predictions.length) at("status").textContent += ` The first ${MOST_SHOWN} of ${predictions.length}.`;
  at("rows").replaceChildren(...shown.map((found, i) => row(examples[i], found)));
  at("before").hidden = info.baseline === null;
  at("table").hidden = false;
}

function row(example, found) {
  const made = document.createElement("tr");
  const sure = found.classes.find((one) => one.name === found.after).after;
  const said = typeof example === "string" ? example : JSON.stringify(example);
  const before = info.baseline === null ? [] : [found.before];
  for (const text of [said.slice(0, 80), ...before, found.after, show.percent(sure)]) made.insertCell().textContent = text;
  if (before.length && found.before !== found.after) made.className = "changed";
  return made;
}

function quiet() {
  at("status").textContent = "";
  at("notice").hidden = at("classes").hidden = at("table").hidden = true;
}

function failed(error) {
  at("notice").hidden = false;
  at("notice-text").textContent =
    error instanceof Unreachable ? STOPPED
    : error instanceof Refused ? error.message
    : error instanceof SyntaxError ? `The rows must be JSON; this is not: ${error.message}.`
    : "The page made a mistake. Load it again.";
  if (!(error instanceof Unreachable || error instanceof Refused || error instanceof SyntaxError)) console.error(error);
}

async function begin() {
  const found = await ask("info");
  at("about").textContent = `${found.title} · ${found.classes.length} classes`;
  at("version").textContent = `acclimate ${found.version}`;
  at("label").textContent = found.takes === "texts" ? "Texts, one a line" : "Rows, as JSON";
  at("hint").textContent =
    found.takes === "texts" ? `At most ${found.limits.examples} at once. Ctrl Enter asks.`
    : found.columns.length ? "A list of objects, or an object a line, with these columns; null where a value is missing. Ctrl Enter asks."
    : "A list of lists of numbers, or a list a line, in the order of training. Ctrl Enter asks.";
  at("file").accept = found.takes === "texts" ? ".txt,text/plain" : ".json,.jsonl,application/json";
  if (found.columns.length && !at("examples").value) at("examples").value = blank(found.columns);
  return found;
}

const blank = (columns) => JSON.stringify([Object.fromEntries(columns.map((name) => [name, null]))], null, 1);

at("form").addEventListener("submit", (event) => {
  event.preventDefault();
  answer();
});
at("examples").addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
    event.preventDefault();
    answer();
  }
});
at("file").addEventListener("change", async (event) => {
  const [file] = event.target.files;
  if (!file) return;
  at("examples").value = await file.text();
  event.target.value = "";
  answer();
});

begin().then((found) => (info = found), failed);
