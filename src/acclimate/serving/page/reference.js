// The HTTP interface as the server itself describes it.

import { ask } from "./api.js";

const root = new URL(".", location.href).href.replace(/\/$/, "");

function element(name, text, ...children) {
  const made = document.createElement(name);
  if (text) made.textContent = text;
  made.append(...children);
  return made;
}

function route(path, method, about) {
  const command = about.requestBody ? `curl --data-binary @picture.png '${root}${path}'` : `curl '${root}${path}'`;
  const facts = [
    ...(about.parameters ?? []).map((one) => [one.name, `${one.in}; ${one.schema.description ?? one.description ?? "required"}`]),
    ...Object.entries(about.responses).filter(([status]) => status !== "200").map(([status, one]) => [status, one.description]),
  ];
  return element(
    "section",
    "",
    element("h2", "", element("code", `${method.toUpperCase()} ${path}`)),
    element("p", about.description ?? about.summary),
    element("pre", "", element("code", command)),
    element("ul", "", ...facts.map(([name, text]) => element("li", "", element("code", name), ` ${text}`))),
  );
}

try {
  const { paths } = await ask("openapi.json");
  const found = Object.entries(paths).flatMap(([path, methods]) => Object.entries(methods).map((one) => route(path, ...one)));
  document.getElementById("routes").append(...found);
} catch {
  document.getElementById("routes").append(element("p", "The server does not answer. Start it again, then load this page again."));
}
