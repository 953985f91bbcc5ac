// Asking the server. What it refuses comes with its own sentence; what it does not answer is a state of its own.

export class Refused extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

export class Unreachable extends Error {}

export async function ask(path, options = {}) {
  let answer;
  try {
    answer = await fetch(`api/${path}`, { cache: "no-store", ...options });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Unreachable();
  }
  const body = await answer.json().catch((error) => {
    if (error.name === "AbortError") throw error;
    return null;
  });
  if (answer.ok && body) return body;
  // A proxy whose server is gone answers in its stead, without our sentences.
  if (!body?.detail) throw new Unreachable();
  throw new Refused(answer.status, body.detail);
}

const address = (id) => id.split("/").map(encodeURIComponent).join("/");
export const photo = (id, size = "thumbnail") => `api/photos/${address(id)}?size=${size}`;
export const like = (id, k, options) => ask(`like/${address(id)}?k=${k}`, options);
