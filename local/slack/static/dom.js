// Builds elements from values. Nothing in this page ever becomes markup: text is always a text node.

export function el(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "class") node.className = value;
    else if (name === "style") Object.assign(node.style, value);
    else if (name === "data") Object.assign(node.dataset, value);
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else if (name in node && typeof value === "boolean") node[name] = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  append(node, children);
  return node;
}

export function append(node, children) {
  for (const child of children.flat(9)) {
    if (child === null || child === undefined || child === false || child === "") continue;
    node.append(child);
  }
}

export function fill(node, ...children) {
  node.replaceChildren();
  append(node, children);
  return node;
}

/** An address a link may have, or null: http, https and mailto only. */
export function safeUrl(address) {
  try {
    const url = new URL(String(address));
    return ["http:", "https:", "mailto:"].includes(url.protocol) ? url.href : null;
  } catch {
    return null;
  }
}

/** An address a picture may have, or null: http and https, or a raster picture given in the address itself. */
export function safePicture(address) {
  if (/^data:image\/(png|jpeg|gif|webp);base64,/.test(String(address))) return address;
  const url = safeUrl(address);
  return url && !url.startsWith("mailto:") ? url : null;
}

export function link(address, ...children) {
  const href = safeUrl(address);
  return href ? el("a", { href, target: "_blank", rel: "noopener noreferrer" }, children) : el("span", {}, children);
}

export function avatar(person, size = "") {
  return el("span", { class: `avatar ${size}`, style: { backgroundColor: person.colour }, "aria-hidden": "true" }, person.initials);
}
