// Line icons, drawn here so that nothing has to be fetched and they take the colour of the text.

const PATHS = {
  back: ["M15 5l-7 7 7 7"],
  close: ["M6 6l12 12", "M18 6L6 18"],
  down: ["M6 9l6 6 6-6"],
  eye: ["M2.5 12S6 5.5 12 5.5 21.5 12 21.5 12 18 18.5 12 18.5 2.5 12 2.5 12z", "M12 9.2a2.8 2.8 0 1 0 0 5.6 2.8 2.8 0 0 0 0-5.6z"],
  hash: ["M9.5 4L7.5 20", "M16.5 4l-2 16", "M4.5 9h16", "M3.5 15h16"],
  lock: ["M6 11h12v9H6z", "M8.5 11V8a3.5 3.5 0 0 1 7 0v3"],
  menu: ["M4 7h16", "M4 12h16", "M4 17h16"],
  more: ["M5 12h.01", "M12 12h.01", "M19 12h.01"],
  reply: ["M20 5H4v11h4v4l5-4h7z"],
  send: ["M4 12l16-7-5 15-3.5-6.5z", "M11.5 13.5L20 5"],
  storm: ["M7 15a4 4 0 1 1 .6-7.9A5.5 5.5 0 0 1 18 8.5 3.3 3.3 0 0 1 17.5 15", "M12.5 11.5L10 16h4l-2.5 4.5"],
};

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  for (const [key, value] of Object.entries({ viewBox: "0 0 24 24", class: `line line-${name}`, "aria-hidden": "true" })) svg.setAttribute(key, value);
  for (const d of PATHS[name]) {
    const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
    path.setAttribute("d", d);
    svg.append(path);
  }
  return svg;
}
