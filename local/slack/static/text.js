// Slack's text: mrkdwn, plain text with :emoji:, dates, mentions, rich text.

import { el, link, safeUrl } from "./dom.js";
import { EMOJI } from "./emoji.js";
import { groupOf, nameOf, roomOf, state } from "./store.js";

export const unescape = (text) => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");

export function emoji(name) {
  const sign = EMOJI.get(name.replace(/::skin-tone-\d$/, ""));
  return sign ? el("span", { class: "emoji", role: "img", "aria-label": name.replaceAll("_", " "), title: `:${name}:` }, sign) : `:${name}:`;
}

/** A plain_text object's content. */
export function plain(object) {
  if (!object) return [];
  const text = unescape(object.text);
  if (object.emoji === false) return [text];
  return text.split(/(:[a-z0-9_+'-]+:)/).map((part) => (/^:[^:]+:$/.test(part) ? emoji(part.slice(1, -1)) : part));
}

/** A text object of either kind, as inline or block content. */
export function textObject(object) {
  return object.type === "mrkdwn" ? mrkdwn(object.text) : breaks(plain(object));
}

function breaks(parts) {
  return parts.flatMap((part) =>
    typeof part === "string" ? part.split("\n").flatMap((line, i) => (i ? [el("br"), line] : [line])) : [part],
  );
}

/** mrkdwn as nodes: code blocks and quotes first, then what stands inside a line. */
export function mrkdwn(text) {
  const out = [];
  for (const part of String(text).split(/(```[\s\S]+?```)/)) {
    if (/^```[\s\S]+```$/.test(part)) {
      out.push(el("pre", { class: "code" }, el("code", {}, withLinks(part.slice(3, -3).replace(/^\n|\n$/g, "")))));
      continue;
    }
    let quote = null;
    let fresh = true;
    for (const line of part.replace(/^\n|\n$/g, "").split("\n")) {
      const quoted = line.match(/^(?:&gt;|>) ?(.*)$/);
      if (quoted) {
        if (quote) quote.append(el("br"));
        else out.push((quote = el("blockquote")));
        quote.append(...inline(quoted[1]));
        fresh = true;
      } else {
        quote = null;
        if (!fresh) out.push(el("br"));
        out.push(...inline(line));
        fresh = false;
      }
    }
  }
  return out;
}

const INLINE =
  /(?<code>`[^`\n]+`)|<(?<angle>[^<>\n]+)>|:(?<emoji>[a-z0-9_+'-]+(?:::skin-tone-\d)?):|(?<![\w*])\*(?<bold>\S|\S[^*\n]*?\S)\*(?![\w*])|(?<![\w])_(?<italic>\S|\S[^\n]*?\S)_(?![\w])|(?<![\w~])~(?<strike>\S|\S[^~\n]*?\S)~(?![\w~])|(?<bare>https?:\/\/[^\s<>]*[^\s<>.,:;!?'")\]}])/gu;

function inline(text) {
  const out = [];
  let at = 0;
  for (const found of text.matchAll(INLINE)) {
    if (found.index > at) out.push(unescape(text.slice(at, found.index)));
    at = found.index + found[0].length;
    const { code, angle, emoji: name, bold, italic, strike, bare } = found.groups;
    if (code) out.push(el("code", {}, withLinks(code.slice(1, -1))));
    else if (angle) out.push(special(angle));
    else if (name) out.push(emoji(name));
    else if (bold) out.push(el("strong", {}, inline(bold)));
    else if (italic) out.push(el("em", {}, inline(italic)));
    else if (strike) out.push(el("s", {}, inline(strike)));
    else if (bare) out.push(link(unescape(bare), unescape(bare)));
  }
  if (at < text.length) out.push(unescape(text.slice(at)));
  return out;
}

/** Inside code only <links> count. */
function withLinks(text) {
  return text.split(/(<[^<>\n]+>)/).map((part) => (/^<.+>$/.test(part) ? special(part.slice(1, -1)) : unescape(part)));
}

const mention = (text, user) => el("span", { class: user && user === state.me ? "mention me" : "mention" }, text);

/** What stands between < and >. */
function special(inner) {
  const [target, ...rest] = inner.split("|");
  const label = rest.length ? unescape(rest.join("|")) : "";
  if (/^@[UW]/.test(target)) return mention(`@${nameOf(target.slice(1)) || label || target.slice(1)}`, target.slice(1));
  if (/^#[CG]/.test(target)) return mention(`#${roomOf(target.slice(1)) || label || target.slice(1)}`);
  if (target.startsWith("!subteam^")) return mention(`@${groupOf(target.slice(9)) || label.replace(/^@/, "")}`);
  if (target.startsWith("!date^")) return date(target.slice(6), label);
  if (/^!(here|channel|everyone)$/.test(target)) return mention(`@${target.slice(1)}`);
  if (target.startsWith("!")) return label || `<${inner}>`;
  const address = unescape(target);
  if (!label && !safeUrl(address)) return `<${address}>`;
  return link(address, label ? plain({ text: rest.join("|") }) : address.replace(/^mailto:/, ""));
}

function date(inner, fallback) {
  const [stamp, format, address] = inner.split("^");
  const when = new Date(Number(stamp) * 1000);
  if (!Number.isFinite(when.getTime()) || !format) return fallback || inner;
  const shown = el("time", { datetime: when.toISOString(), title: when.toLocaleString() }, formatDate(when, format));
  return address ? link(unescape(address), shown) : shown;
}

export function formatDate(when, format) {
  const as = (options) => when.toLocaleString("en-GB", options);
  const near = dayName(when);
  const long = as({ weekday: "long", day: "numeric", month: "long", year: "numeric" });
  const short = as({ day: "numeric", month: "short", year: "numeric" });
  const day = as({ day: "numeric", month: "long", year: "numeric" });
  const forms = {
    date_num: as({ year: "numeric" }) + "-" + as({ month: "2-digit" }) + "-" + as({ day: "2-digit" }),
    date_slash: as({ day: "2-digit", month: "2-digit", year: "numeric" }),
    date: day, date_short: short, date_long: long, date_pretty: near || day, date_short_pretty: near || short,
    date_long_pretty: near || long, day_divider_pretty: near || long, time: clock(when),
    time_secs: as({ hour: "2-digit", minute: "2-digit", second: "2-digit" }), ago: ago(when),
  };
  return format.replace(/\{(\w+)\}/g, (whole, name) => forms[name] ?? whole);
}

export const clock = (when) => when.toLocaleTimeString("en-GB", { hour: "2-digit", minute: "2-digit" });

/** today, yesterday, tomorrow, or nothing. */
export function dayName(when) {
  const midnight = (d) => new Date(d.getFullYear(), d.getMonth(), d.getDate()).getTime();
  const days = Math.round((midnight(when) - midnight(new Date())) / 86_400_000);
  return { "-1": "yesterday", 0: "today", 1: "tomorrow" }[days];
}

function ago(when) {
  const seconds = (when.getTime() - Date.now()) / 1000;
  const words = new Intl.RelativeTimeFormat("en", { numeric: "auto" });
  for (const [unit, size] of [["day", 86_400], ["hour", 3_600], ["minute", 60]]) {
    if (Math.abs(seconds) >= size) return words.format(Math.round(seconds / size), unit);
  }
  return words.format(Math.round(seconds), "second");
}

// -- rich text ---------------------------------------------------------------------------------------------------

export function richText(elements) {
  return elements.map((element) => {
    if (element.type === "rich_text_list") {
      const tag = element.style === "ordered" ? "ol" : "ul";
      const items = element.elements.map((item) => el("li", {}, item.elements.map(richPart)));
      const start = element.offset ? element.offset + 1 : undefined;
      return el(tag, { class: "rich", start, style: { marginInlineStart: `${(element.indent || 0) * 1.2}em` } }, items);
    }
    const parts = element.elements.map(richPart);
    if (element.type === "rich_text_preformatted") return el("pre", { class: "code" }, el("code", {}, parts));
    return el(element.type === "rich_text_quote" ? "blockquote" : "div", { class: "rich" }, parts);
  });
}

function richPart(part) {
  let node;
  if (part.type === "text") node = breaks([part.text]);
  else if (part.type === "link") node = link(part.url, part.text || part.url);
  else if (part.type === "emoji") node = emoji(part.name);
  else if (part.type === "user") node = mention(`@${nameOf(part.user_id) || part.user_id}`, part.user_id);
  else if (part.type === "usergroup") node = mention(`@${groupOf(part.usergroup_id) || part.usergroup_id}`);
  else if (part.type === "channel") node = mention(`#${roomOf(part.channel_id) || part.channel_id}`);
  else if (part.type === "broadcast") node = mention(`@${part.range}`);
  else if (part.type === "date") node = date(`${part.timestamp}^${part.format}`, part.fallback);
  else if (part.type === "color") node = [el("span", { class: "swatch", style: { backgroundColor: part.value } }), part.value];
  else return "";
  for (const [name, tag] of [["code", "code"], ["bold", "strong"], ["italic", "em"], ["strike", "s"], ["underline", "u"]]) {
    if (part.style?.[name]) node = el(tag, {}, node);
  }
  return node;
}

/** Text without markup, for announcements and previews. */
export function spoken(message) {
  const box = el("div", {}, mrkdwn(message.text || ""));
  return box.textContent || "sent a message";
}
