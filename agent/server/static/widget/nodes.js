/* Elements and icons. */

const ICONS = {
  chat: "M4 5.5A2.5 2.5 0 0 1 6.5 3h11A2.5 2.5 0 0 1 20 5.5v8a2.5 2.5 0 0 1-2.5 2.5H11l-4.6 3.8A.85.85 0 0 1 5 19.15V15.95A2.5 2.5 0 0 1 4 13.5z",
  spark:
    "M12 3l1.9 5.1L19 10l-5.1 1.9L12 17l-1.9-5.1L5 10l5.1-1.9zM18.5 15l.9 2.1 2.1.9-2.1.9-.9 2.1-.9-2.1-2.1-.9 2.1-.9z",
  person: "M12 12a4 4 0 1 0 0-8 4 4 0 0 0 0 8zM4.5 20c.6-3.6 3.6-5.5 7.5-5.5s6.9 1.9 7.5 5.5z",
  close: "M6 6l12 12M18 6L6 18",
  send: "M5 12h13M12.5 6l6 6-6 6",
  clip: "M19 11.5l-7.4 7.4a4.6 4.6 0 0 1-6.5-6.5l7.8-7.8a3.1 3.1 0 0 1 4.4 4.4l-7.7 7.7a1.5 1.5 0 0 1-2.2-2.2l7-7",
  clock: "M12 3.5a8.5 8.5 0 1 0 0 17 8.5 8.5 0 0 0 0-17zM12 7.5V12l3 2",
  check: "M5 12.5l4.5 4.5L19 7.5",
  alert: "M12 4l9 16H3zM12 10v4.5M12 17.2v.3",
  file: "M7 3.5h7l4 4V20.5H7zM14 3.5v4h4",
  book: "M5 4.5h6a2 2 0 0 1 1 .4 2 2 0 0 1 1-.4h6v14h-6a2 2 0 0 0-1 .6 2 2 0 0 0-1-.6H5zM12 5v14",
  star: "M12 3.5l2.6 5.5 6 .8-4.4 4.2 1.1 6L12 17.1 6.7 20l1.1-6L3.4 9.8l6-.8z",
  down: "M12 5v13M6 12.5l6 6 6-6",
};
const SOLID = new Set(["chat", "spark", "person", "star"]);

/** An element; attributes starting with `on` are listeners, false and null leave an attribute out. */
export function h(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.filter((child) => child !== null)); // strings become text nodes
  return node;
}

export function icon(name) {
  const make = (tag, attributes) => {
    const node = document.createElementNS("http://www.w3.org/2000/svg", tag);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    return node;
  };
  const svg = make("svg", {
    viewBox: "0 0 24 24",
    "aria-hidden": "true",
    fill: SOLID.has(name) ? "currentColor" : "none",
    focusable: "false",
  });
  if (!SOLID.has(name)) {
    for (const [key, value] of [
      ["stroke", "currentColor"],
      ["stroke-width", "1.8"],
      ["stroke-linecap", "round"],
      ["stroke-linejoin", "round"],
    ])
      svg.setAttribute(key, value);
  }
  svg.append(make("path", { d: ICONS[name] }));
  return svg;
}
