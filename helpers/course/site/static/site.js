// Search, the switch of colors, and keyboard access to boxes that scroll sideways. Everything else works without scripts.
"use strict";

// --- colors: as the system, light, dark; remembered ---------------------------------------------------------------
const themes = ["system", "light", "dark"];
const names = { system: "system", light: "light", dark: "dark" };
const button = document.getElementById("theme");
const showTheme = () => {
  button.querySelector("span").textContent = names[document.documentElement.dataset.theme || "system"];
};
button.addEventListener("click", () => {
  const now = document.documentElement.dataset.theme || "system";
  const next = themes[(themes.indexOf(now) + 1) % themes.length];
  if (next === "system") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = next;
  try { localStorage.setItem("course-theme", next); } catch (error) { /* not remembered, but switched */ }
  showTheme();
});
button.hidden = false;
showTheme();

// --- boxes that scroll sideways can be reached by keyboard, and only those ------------------------------------------
const scrolls = () => {
  for (const box of document.querySelectorAll("pre, .scroll, .rich, .formula, .long")) {
    if (box.scrollWidth > box.clientWidth + 1) {
      box.tabIndex = 0;
      box.setAttribute("role", "group");
      box.setAttribute("aria-label", "Scrolls sideways");
    } else if (box.hasAttribute("tabindex")) {
      for (const name of ["tabindex", "role", "aria-label"]) box.removeAttribute(name);
    }
  }
};
scrolls();
window.addEventListener("load", scrolls);
window.addEventListener("resize", scrolls);
document.addEventListener("toggle", scrolls, true);

// --- print with all answers unfolded --------------------------------------------------------------------------------
let folded = [];
window.addEventListener("beforeprint", () => {
  folded = [...document.querySelectorAll("main details:not([open])")];
  for (const one of folded) one.open = true;
});
window.addEventListener("afterprint", () => { for (const one of folded) one.open = false; });

// --- the heading that is being read, in the contents ------------------------------------------------------------------
const places = new Map();
for (const link of document.querySelectorAll(".headings a")) {
  const heading = document.getElementById(decodeURIComponent(link.hash.slice(1)));
  if (heading) places.set(heading, link);
}
const mark = () => {
  let last = null;
  for (const [heading, link] of places) {
    link.classList.remove("here");
    if (heading.getBoundingClientRect().top < 120) last = link;
  }
  if (last) last.classList.add("here");
};
let waiting = false;
window.addEventListener("scroll", () => {
  if (waiting) return;
  waiting = true;
  requestAnimationFrame(() => { waiting = false; mark(); });
}, { passive: true });
mark();

// --- search -----------------------------------------------------------------------------------------------------------
const box = document.getElementById("search");
const panel = document.getElementById("found");
const count = document.getElementById("count");
const list = panel.querySelector("ul");
const LIMIT = 25;
box.closest("search").hidden = false;

let loading = null;
const load = () => {
  loading = loading || new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = "site/search-index.js";
    script.onload = () => {
      const index = window.courseIndex;
      index.plain = index.sections.map(([, , title, words, code]) => [fold(title), fold(words), fold(code)]);
      resolve(index);
    };
    script.onerror = () => { loading = null; reject(new Error("The search index could not be loaded.")); };
    document.head.append(script);
  });
  return loading;
};
const fold = (text) => text.toLowerCase();
const letter = /[\p{L}\p{N}]/u;

// How well one word fits a text: 0 not at all, 1 within a word, 2 at the start of a word, 3 as a whole word.
const fits = (text, word) => {
  let best = 0;
  for (let at = text.indexOf(word); at >= 0 && best < 3; at = text.indexOf(word, at + 1)) {
    const start = !letter.test(text[at - 1] || " ");
    const end = !letter.test(text[at + word.length] || " ");
    best = Math.max(best, start && end ? 3 : start ? 2 : 1);
  }
  return best;
};
const search = (index, query) => {
  const words = fold(query).split(/\s+/).filter(Boolean);
  const hits = [];
  index.plain.forEach(([title, text, code], at) => {
    let score = 0;
    for (const word of words) {
      const one = 8 * fits(title, word) + 3 * fits(text, word) + fits(code, word);
      if (!one) return;
      score += one;
    }
    const whole = words.join(" ");
    if (words.length > 1) score += (title.includes(whole) ? 20 : 0) + (text.includes(whole) ? 10 : 0);
    hits.push([score, at]);
  });
  hits.sort((a, b) => b[0] - a[0] || a[1] - b[1]);
  return { words, hits: hits.map((hit) => hit[1]) };
};
const marked = (target, text, words) => {
  const plain = fold(text);
  let from = 0;
  while (from < text.length) {
    let at = -1, size = 0;
    for (const word of words) {
      const here = plain.indexOf(word, from);
      if (here >= 0 && (at < 0 || here < at)) { at = here; size = word.length; }
    }
    if (at < 0) break;
    target.append(text.slice(from, at));
    const one = document.createElement("mark");
    one.textContent = text.slice(at, at + size);
    target.append(one);
    from = at + size;
  }
  target.append(text.slice(from));
};
const excerpt = (words, text, code) => {
  for (const source of [text, code]) {
    const plain = fold(source);
    for (const word of words) {
      const at = plain.indexOf(word);
      if (at >= 0) {
        const begin = Math.max(0, source.lastIndexOf(" ", Math.max(0, at - 60)));
        return (begin ? "… " : "") + source.slice(begin, begin + 170).trim() + " …";
      }
    }
  }
  return text.slice(0, 140);
};
const show = (index, query) => {
  const { words, hits } = search(index, query);
  list.replaceChildren();
  count.textContent = hits.length === 0 ? `Nothing found for ${query}`
    : hits.length > LIMIT ? `${hits.length} places; the ${LIMIT} that fit best` : `${hits.length} place${hits.length > 1 ? "s" : ""}`;
  for (const at of hits.slice(0, LIMIT)) {
    const [page, anchor, title, text, code] = index.sections[at];
    const [name, file] = index.pages[page];
    const item = document.createElement("li");
    const link = document.createElement("a");
    link.href = `${file}#${anchor}`;
    const head = document.createElement("strong");
    marked(head, title, words);
    const where = document.createElement("small");
    where.textContent = name;
    const found = document.createElement("small");
    marked(found, excerpt(words, text, code), words);
    link.append(head, where, found);
    item.append(link);
    list.append(item);
  }
  panel.hidden = false;
};
const hide = () => { panel.hidden = true; };
const react = () => {
  const query = box.value.trim();
  if (!query) return hide();
  load().then((index) => { if (box.value.trim() === query) show(index, query); },
    (error) => { list.replaceChildren(); count.textContent = error.message; panel.hidden = false; });
};
box.addEventListener("focus", () => load().catch(() => {}));
box.addEventListener("input", react);
const links = () => [...list.querySelectorAll("a")];
document.addEventListener("keydown", (event) => {
  const inside = box.closest("search").contains(document.activeElement);
  if (event.key === "/" && !inside && !/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)
      && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    box.focus();
    box.select();
  } else if (inside && event.key === "Escape") {
    hide();
    box.focus();
  } else if (inside && !panel.hidden && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
    const all = links(), at = all.indexOf(document.activeElement), next = at + (event.key === "ArrowDown" ? 1 : -1);
    event.preventDefault();
    if (next < 0) box.focus();
    else if (next < all.length) all[next].focus();
  } else if (event.key === "Enter" && document.activeElement === box && links().length) {
    event.preventDefault();
    links()[0].click();
  }
});
list.addEventListener("click", hide);
document.addEventListener("click", (event) => { if (!box.closest("search").contains(event.target)) hide(); });
document.addEventListener("focusin", (event) => { if (!box.closest("search").contains(event.target)) hide(); });
