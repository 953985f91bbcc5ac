// The page: what is asked (a drawing, a picture, more like a photo), what was answered, and what went wrong.

import { ask, like, photo, Refused, Unreachable } from "./api.js";
import { Drawing } from "./drawing.js";
import * as show from "./show.js";

const PAUSE = 150;
const AGAIN = 2000;
const RESULTS = 24;
const SIDE = 256;
// Networks that read so few pixels are trained on broad strokes.
const SMALL = 64;
const BROAD = 9;
const FINE = 1.5;
const STOPPED = "The server does not answer. It may have been stopped: start it again with acclimate serve. This page goes on by itself.";

const at = (id) => document.getElementById(id);
let info = null;
let query = { kind: "drawing" };
let asking = null;
let timer = null;
let waiting = null;

const drawing = new Drawing(at("canvas"), at("pen"), {
  changed: () => {
    tools();
    if (query.kind !== "drawing") show_drawing();
    query = { kind: "drawing" };
    clearTimeout(timer);
    timer = setTimeout(answer, PAUSE);
  },
  said: (text) => (at("said").textContent = text),
});

function tools() {
  at("undo").disabled = drawing.done.length === 0 && !drawing.live;
  at("redo").disabled = drawing.undone.length === 0;
  at("clear").disabled = drawing.empty;
  at("invitation").hidden = !drawing.empty;
}

// What is asked

async function answer() {
  clearTimeout(timer);
  asking?.abort();
  asking = null;
  if (!info) return void start();
  if (unready()) return;
  if (query.kind === "drawing" && drawing.empty) return void nothing();
  const mine = (asking = new AbortController());
  at("answers").classList.add("busy");
  try {
    const found = await asked(query, { signal: mine.signal });
    if (mine.signal.aborted) return;
    answered(found);
  } catch (error) {
    if (mine.signal.aborted) return;
    failed(error);
  } finally {
    if (asking === mine) at("answers").classList.remove("busy");
  }
}

async function asked({ kind, id, file }, options) {
  if (kind === "like") return like(id, RESULTS, options);
  const body = kind === "file" ? file : await drawing.png(Math.max(SIDE, info.size));
  const path = info.kind === "search" ? `search?k=${RESULTS}` : "predict";
  return ask(path, { method: "POST", body, headers: { "Content-Type": body.type || "application/octet-stream" }, ...options });
}

function answered(found) {
  quiet();
  if (found.results) {
    show.photos(at("photos"), found.results, more_like);
    at("status").textContent = `${found.results.length} photos, the most similar first.`;
    return;
  }
  show.classes(at("classes"), found, info.baseline);
  at("status").textContent = "";
  const before = found.before === null ? "" : `Before adaptation: ${found.before}. `;
  at("said").textContent = `${before}${found.before === null ? "Answer" : "After adaptation"}: ${found.after}.`;
}

function more_like(id) {
  query = { kind: "like", id };
  at("back").hidden = false;
  at("answers-heading").textContent = "More like this";
  const model = at("model");
  model.href = photo(id, "full");
  model.firstElementChild.src = photo(id);
  model.firstElementChild.alt = `Photo ${id}`;
  model.hidden = false;
  at("answers-heading").focus({ preventScroll: true });
  at("answers").scrollIntoView({ block: "nearest" });
  answer();
}

function choose(file) {
  if (!file) return;
  query = { kind: "file", file };
  leave_photo();
  const picture = at("chosen");
  URL.revokeObjectURL(picture.src);
  picture.onload = () => picture.classList.toggle("tiny", picture.naturalWidth <= SMALL);
  picture.onerror = () => (picture.hidden = true);
  picture.src = URL.createObjectURL(file);
  picture.alt = `The picture ${file.name}`;
  picture.hidden = false;
  at("draw-again").hidden = false;
  at("file-hint").hidden = true;
  if (info && file.size > info.limits.bytes) {
    asking?.abort();
    notice(`The picture must have at most ${Math.floor(info.limits.bytes / 1e6)} MB; this one has ${Math.ceil(file.size / 1e6)}. Choose a smaller one.`);
    return;
  }
  answer();
}

function show_drawing() {
  leave_photo();
  at("chosen").hidden = true;
  at("draw-again").hidden = true;
  at("file-hint").hidden = false;
}

function leave_photo() {
  at("back").hidden = true;
  at("model").hidden = true;
  at("answers-heading").textContent = heading();
}

function back() {
  query = { kind: "drawing" };
  show_drawing();
  at("canvas").focus({ preventScroll: true });
  answer();
}

// What there is to say

const heading = () => (info?.kind === "search" ? "Photos" : "Answers");

function unready() {
  if (info.kind === "classify" || info.photos > 0) return false;
  notice(`Nothing is indexed yet. Run ${info.index_command}, then start the server again.`);
  return true;
}

function nothing() {
  quiet();
  at("photos").hidden = at("classes").hidden = true;
  at("answers").classList.remove("busy");
  const names = info.classes.length <= 12 ? `, one of ${info.classes.join(", ")}` : "";
  at("status").textContent =
    info.kind === "search"
      ? "Draw something, and the photos that are most like it appear here while you draw."
      : `Draw something${names}, and the answers appear here while you draw.`;
}

function quiet() {
  at("notice").hidden = true;
  clearTimeout(waiting);
  waiting = null;
}

function notice(text, retry = null) {
  quiet();
  at("photos").hidden = at("classes").hidden = true;
  at("status").textContent = "";
  at("notice-text").textContent = text;
  at("retry").hidden = !retry;
  at("notice").hidden = false;
}

function failed(error) {
  if (error instanceof Unreachable) {
    notice(STOPPED, true);
    waiting = setTimeout(wait_for_server, AGAIN);
  } else if (error instanceof Refused) {
    notice(error.message, error.status >= 500);
  } else {
    notice("The page made a mistake. Load it again.");
    console.error(error);
  }
}

async function wait_for_server() {
  try {
    await ask("health");
  } catch {
    waiting = setTimeout(wait_for_server, AGAIN);
    return;
  }
  waiting = null;
  // Another run may be served now.
  info = null;
  start();
}

async function start() {
  try {
    info = await ask("info");
  } catch (error) {
    return void failed(error);
  }
  const search = info.kind === "search";
  at("title").textContent = search ? "Draw a sketch, find photos" : "Draw, and see what adaptation changed";
  at("about").textContent = search ? `${info.title} · ${info.photos.toLocaleString("en")} photos` : info.title;
  document.title = `${at("title").textContent} – acclimate`;
  at("version").textContent = `acclimate ${info.version}`;
  if (query.kind !== "like") at("answers-heading").textContent = heading();
  board();
  answer();
}

let set_up = false;
function board() {
  drawing.ink = info.ink;
  drawing.reach = info.reach;
  at("board").classList.toggle("light", info.ink === "light");
  if (!set_up) at("width").value = info.size <= SMALL ? BROAD : FINE;
  set_up = true;
  width();
  drawing.repaint();
}

function width() {
  drawing.width = at("width").value / 100;
  const side = `${Math.max(2, drawing.width * at("canvas").clientWidth)}px`;
  at("dot").style.width = at("dot").style.height = side;
}

at("undo").addEventListener("click", () => drawing.undo());
at("redo").addEventListener("click", () => drawing.redo());
at("clear").addEventListener("click", () => drawing.clear());
at("width").addEventListener("input", width);
at("back").addEventListener("click", back);
at("draw-again").addEventListener("click", back);
at("retry").addEventListener("click", () => answer());
at("file").addEventListener("change", (event) => {
  choose(event.target.files[0]);
  event.target.value = "";
});
document.addEventListener("paste", (event) => choose(event.clipboardData?.files[0]));
document.addEventListener("keydown", (event) => {
  if (!(event.ctrlKey || event.metaKey) || event.altKey) return;
  const key = event.key.toLowerCase();
  if (key !== "z" && key !== "y") return;
  event.preventDefault();
  if (key === "y" || event.shiftKey) drawing.redo();
  else drawing.undo();
});
for (const name of ["dragenter", "dragover"]) {
  document.addEventListener(name, (event) => {
    event.preventDefault();
    at("board").classList.add("target");
  });
}
document.addEventListener("dragleave", (event) => {
  if (!event.relatedTarget) at("board").classList.remove("target");
});
document.addEventListener("drop", (event) => {
  event.preventDefault();
  at("board").classList.remove("target");
  choose(event.dataTransfer.files[0]);
});

tools();
start();
