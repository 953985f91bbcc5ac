// Answers as elements. Texts are set as texts, never as HTML: names of files and of classes are anybody's.

import { photo } from "./api.js";

// As many classes are listed in full, in one order before and after; of more, the most probable ones of each.
const ALL = 12;
const SOME = 6;

function element(name, { text, ...attributes } = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  made.append(...children);
  return made;
}

export const percent = (value) => (value > 0 && value < 0.005 ? "< 1 %" : `${Math.round(100 * value)} %`);

export function photos(list, results, chosen) {
  list.replaceChildren(...results.map((result) => element("li", {}, card(result, chosen))));
  list.hidden = false;
}

// Pictures this small are data in themselves: they are shown to the pixel.
function sharp(event) {
  event.target.classList.toggle("tiny", event.target.naturalWidth <= 64);
}

function card({ id, similarity }, chosen) {
  const score = similarity.toFixed(2);
  const caption = element(
    "span",
    { class: "caption", "aria-hidden": "true" },
    element("span", { text: id.split("/").at(-1), title: id }),
    element("span", { text: score }),
  );
  const button = element(
    "button",
    { type: "button", class: "photo" },
    element("img", { src: photo(id), alt: `Photo ${id}`, width: 320, height: 320 }),
    element("span", { class: "unseen", text: `similarity ${score}, show more like this` }),
    caption,
  );
  button.firstElementChild.addEventListener("load", sharp);
  button.addEventListener("click", () => chosen(id));
  return button;
}

export function classes(box, prediction, baseline) {
  const columns = [["after", baseline ? "After adaptation" : "Answer"]];
  if (prediction.before !== null) columns.unshift(["before", `Before adaptation (${baseline})`]);
  const old = new Map([...box.querySelectorAll(".fill")].map((fill) => [fill.dataset.key, fill.style.width]));
  box.replaceChildren(...columns.map(([when, title]) => column(prediction, when, title, old)));
  box.hidden = false;
}

function column(prediction, when, title, old) {
  const all = prediction.classes;
  const shown = all.length <= ALL ? all : [...all].sort((a, b) => b[when] - a[when]).slice(0, SOME);
  return element(
    "section",
    { class: when, "aria-label": title },
    element("h3", { text: title }),
    element("p", { class: "answer", text: prediction[when] }),
    element("ol", { class: "bars" }, ...shown.map((one) => bar(one, when, one.name === prediction[when], old))),
  );
}

function bar(one, when, first, old) {
  const fill = element("div", { class: "fill", "data-key": `${when} ${one.name}` });
  // From where it was, so that a bar grows and shrinks while somebody draws.
  fill.style.width = old.get(fill.dataset.key) ?? "0%";
  requestAnimationFrame(() => requestAnimationFrame(() => (fill.style.width = `${100 * one[when]}%`)));
  return element(
    "li",
    first ? { class: "first" } : {},
    element("span", { class: "name", text: one.name, title: one.name }),
    element("div", { class: "track", "aria-hidden": "true" }, fill),
    element("span", { class: "share", text: percent(one[when]) }),
  );
}
