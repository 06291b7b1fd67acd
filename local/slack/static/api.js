// Talks to the server: what a person does, and what happens to them.

export async function post(what, body) {
  try {
    const response = await fetch(`/_local/${what}`, {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    return await response.json();
  } catch {
    return { ok: false, error: "The local Slack page does not answer. Is it still running?", errors: {} };
  }
}

export async function snapshot(user) {
  const response = await fetch(`/_local/state?as=${encodeURIComponent(user || "")}`);
  return response.json();
}

/** Follow the workspace's events from `after` on; the browser reconnects by itself and says where it was. */
export function follow(user, epoch, after, onEvent, onState) {
  const source = new EventSource(`/_local/events?as=${encodeURIComponent(user)}&after=${epoch}-${after}`);
  source.onmessage = (message) => onEvent(JSON.parse(message.data));
  source.onopen = () => onState(true);
  source.onerror = () => onState(false);
  return source;
}
