/*
 * How the widget looks. Custom properties that start with --handrail- come from the page (docs/widget.md). Logical
 * properties throughout, so that right-to-left pages need no second version.
 */

export const STYLES = `
:host {
  all: initial; color-scheme: light dark; display: block; text-align: start;
  --font: var(--handrail-font, Inter, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif);
  --accent: var(--handrail-accent, light-dark(#17594a, #7ad3b7));
  --on-accent: var(--handrail-on-accent, light-dark(#ffffff, #06231b));
  --surface: light-dark(#ffffff, #181d1c);
  --canvas: light-dark(#f5f7f6, #101413);
  --raised: light-dark(#ffffff, #202725);
  --tint: light-dark(#e7f1ee, #1c302a);
  --text: light-dark(#16201d, #e9efec);
  --muted: light-dark(#55635e, #a6b3ae);
  --line: light-dark(#dde4e1, #2d3634);
  --edge: light-dark(#84918c, #7a8783);
  --person: light-dark(#eef2fb, #1d2637);
  --person-line: light-dark(#d3ddf3, #33415c);
  --person-ink: light-dark(#2f4b8f, #a9c1f7);
  --error: light-dark(#a4241c, #ffb0a8);
  --error-tint: light-dark(#fdefee, #3a1f1d);
  --shadow: 0 1px 2px rgb(10 25 20 / .06), 0 18px 50px -12px rgb(10 25 20 / .3);
  --round: 18px; --tip: 6px;
  font: 400 15px/1.5 var(--font); color: var(--text);
}
:host([data-theme="light"]) { color-scheme: light; }
:host([data-theme="dark"]) { color-scheme: dark; }
:host([data-mode="inline"]) { block-size: 100%; min-block-size: 360px; }
:host([hidden]), [hidden] { display: none !important; }
*, ::before, ::after { box-sizing: border-box; }
button, textarea, input { font: inherit; color: inherit; letter-spacing: inherit; }
button { cursor: pointer; border: 1px solid transparent; background: none; margin: 0; }
h2, h3, p, ul, dl, dd, fieldset, legend { margin: 0; padding: 0; border: 0; list-style: none; min-inline-size: 0; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
svg { inline-size: 20px; block-size: 20px; flex: none; display: block; }
.vh {
  position: absolute; inline-size: 1px; block-size: 1px; margin: 0; overflow: hidden; clip-path: inset(50%); white-space: nowrap;
}

/* Launcher and frame */
.launcher {
  position: fixed; inset-block-end: 24px; inset-inline-end: 24px; z-index: 2147483000; inline-size: 60px; block-size: 60px;
  border-radius: 50%; display: grid; place-items: center; background: var(--accent); color: var(--on-accent);
  box-shadow: var(--shadow); transition: transform .16s ease;
}
.launcher:hover { transform: translateY(-2px); }
.launcher:focus-visible { outline-offset: 4px; }
.launcher svg { inline-size: 28px; block-size: 28px; }
.badge {
  position: absolute; inset-block-start: -4px; inset-inline-end: -4px; min-inline-size: 24px; block-size: 24px; padding: 0 6px;
  border: 2px solid light-dark(#ffffff, #101413); border-radius: 12px; background: #b3261e; color: #ffffff;
  font-size: 12px; font-weight: 650; line-height: 20px;
}
.panel {
  position: fixed; inset: auto; inset-block-end: 24px; inset-inline-end: 24px; z-index: 2147483001;
  inline-size: min(408px, 100vw - 48px); block-size: min(700px, 100dvh - 48px); max-inline-size: none; max-block-size: none;
  flex-direction: column; margin: 0; padding: 0; overflow: hidden; border: 1px solid var(--line); border-radius: 20px;
  background: var(--surface); color: var(--text); box-shadow: var(--shadow);
}
:host([data-position="start"]) :is(.launcher, .panel) { inset-inline: 24px auto; }
.panel[open] { display: flex; animation: rise .18s ease-out; }
.panel.inline { display: flex; position: relative; inset: auto; inline-size: 100%; block-size: 100%; box-shadow: none; z-index: auto; }
.panel::backdrop { background: var(--surface); }

/* Who the customer talks to */
.head { display: flex; align-items: center; gap: 12px; padding: 14px 16px; border-block-end: 1px solid var(--line); }
.face {
  inline-size: 40px; block-size: 40px; flex: none; display: grid; place-items: center; border: 1px solid transparent;
  border-radius: 13px; background: var(--accent); color: var(--on-accent); font-size: 17px; font-weight: 650;
}
.face.human { border-radius: 50%; background: var(--person-ink); color: light-dark(#ffffff, #101726); }
.who { flex: 1; min-inline-size: 0; overflow-wrap: anywhere; }
.who h2 { font-size: 16px; font-weight: 650; line-height: 1.3; letter-spacing: -.006em; }
.disclosure { display: flex; align-items: baseline; gap: 7px; font-size: 13px; line-height: 1.35; color: var(--muted); }
.disclosure::before {
  content: ""; flex: none; inline-size: 7px; block-size: 7px; border-radius: 50%; background: var(--accent); translate: 0 -1px;
}
.disclosure.human { color: var(--person-ink); font-weight: 550; }
.disclosure.human::before { background: var(--person-ink); }
.plain { inline-size: 40px; block-size: 40px; flex: none; display: grid; place-items: center; padding: 0; border-radius: 12px; color: var(--muted); }
.plain:hover { background: var(--tint); color: var(--text); }
.strip { display: flex; gap: 9px; padding: 9px 16px; font-size: 13px; line-height: 1.45; background: var(--tint); border-block-end: 1px solid var(--line); }
.strip svg { inline-size: 17px; block-size: 17px; margin-block-start: 1px; }
.strip.trouble { background: var(--error-tint); color: var(--error); }

/* The conversation */
.middle { position: relative; flex: 1; min-block-size: 0; display: flex; flex-direction: column; }
.log {
  position: relative; flex: 1; min-block-size: 0; padding: 20px 16px 16px; overflow: hidden auto; overscroll-behavior: contain;
  background: var(--canvas); scrollbar-width: thin; scrollbar-color: var(--edge) transparent;
}
.log:focus-visible { outline-offset: -3px; }
.newest {
  position: absolute; inset-block-end: 10px; inset-inline: 0; inline-size: fit-content; margin-inline: auto; display: flex; gap: 6px;
  align-items: center; padding: 6px 14px 6px 10px; border-radius: 18px; background: var(--text); color: var(--surface);
  font-size: 13px; font-weight: 600;
}
.newest svg { inline-size: 16px; block-size: 16px; }
.intro { padding: 10px 12px 14px; text-align: center; font-size: 14px; color: var(--muted); text-wrap: balance; }
.intro h3 { margin-block-end: 6px; font-size: 19px; font-weight: 650; line-height: 1.3; letter-spacing: -.014em; color: var(--text); }
.row { display: flex; flex-direction: column; align-items: flex-start; margin-block-start: 6px; }
.row.first { margin-block-start: 18px; }
.row.customer { align-items: flex-end; }
.meta { display: flex; flex-wrap: wrap; align-items: center; gap: 0 7px; margin-block-end: 5px; padding-inline: 2px; font-size: 12.5px; color: var(--muted); }
.meta b { font-weight: 600; color: var(--text); }
.tag { padding: 0 5px; border: 1px solid var(--line); border-radius: 6px; background: var(--surface); font-size: 11px; font-weight: 650; line-height: 16px; }
.operator .tag { color: var(--person-ink); border-color: var(--person-line); background: var(--person); }
.bubble {
  max-inline-size: min(90%, 560px); padding: 10px 14px; overflow-wrap: anywhere; border: 1px solid var(--line);
  border-radius: var(--round); border-start-start-radius: var(--tip); background: var(--raised);
}
.operator .bubble { background: var(--person); border-color: var(--person-line); }
.customer .bubble {
  border-color: transparent; border-radius: var(--round); border-end-end-radius: var(--tip); background: var(--accent); color: var(--on-accent);
}
.line { display: block; white-space: pre-wrap; }
.line:empty { block-size: .6em; }
.line.item { margin-block-start: 4px; padding-inline-start: 1.2em; text-indent: -1.2em; }
.sources { margin-block-start: 10px; padding-block-start: 8px; border-block-start: 1px solid var(--line); font-size: 12.5px; color: var(--muted); }
.sources li { display: flex; gap: 7px; margin-block-start: 3px; font-size: 13px; color: var(--text); }
.sources svg { inline-size: 16px; block-size: 16px; margin-block-start: 2px; color: var(--muted); }
.steps { margin-block: 8px; overflow: hidden; border: 1px solid var(--line); border-radius: 12px; background: var(--surface); }
.steps li + li { border-block-start: 1px solid var(--line); }
.steps label { display: flex; gap: 10px; padding: 9px 12px; cursor: pointer; }
.steps label:hover { background: var(--tint); }
.steps input { inline-size: 18px; block-size: 18px; flex: none; margin: 2px 0 0; accent-color: var(--accent); }
.steps input:checked + span { color: var(--muted); text-decoration: line-through; }
.attachment { display: flex; align-items: center; gap: 10px; font-weight: 550; }
.attachment small { display: block; font-size: 12.5px; font-weight: 400; }
.attachment .plain { color: inherit; }
.attachment .plain:hover { color: var(--text); }
.delivery {
  display: flex; flex-wrap: wrap; justify-content: flex-end; align-items: center; gap: 0 6px; max-inline-size: 92%;
  margin-block-start: 3px; text-align: end; font-size: 12.5px; color: var(--muted); animation: late 1s;
}
.delivery.failed { color: var(--error); animation: none; }
.notice {
  display: flex; flex-wrap: wrap; justify-content: center; align-items: center; gap: 2px 8px; max-inline-size: 94%;
  margin: 18px auto 4px; text-align: center; font-size: 13px; line-height: 1.45; color: var(--muted);
}
.notice svg { inline-size: 16px; block-size: 16px; }
.notice > span { max-inline-size: calc(100% - 26px); }
.notice.error {
  justify-content: flex-start; padding: 10px 14px; border: 1px solid transparent; border-radius: 12px; text-align: start;
  background: var(--error-tint); color: var(--error);
}
.notice.error span { flex: 1 1 70%; }
.text-button {
  padding: 2px 4px; min-block-size: 28px; border-radius: 6px; font-size: 13px; font-weight: 600; color: inherit;
  text-decoration: underline; text-underline-offset: 3px;
}
.notice:not(.error) .text-button { color: var(--text); }
.dots {
  display: flex; gap: 5px; inline-size: fit-content; margin-block-start: 12px; padding: 14px 16px; border: 1px solid var(--line);
  border-radius: var(--round); border-start-start-radius: var(--tip); background: var(--raised);
}
.dots i { inline-size: 7px; block-size: 7px; border-radius: 50%; background: var(--edge); animation: bob 1.2s infinite ease-in-out; }
.dots i:nth-of-type(2) { animation-delay: .15s; }
.dots i:nth-of-type(3) { animation-delay: .3s; }

/* What is asked of the customer */
.replies { display: flex; flex-wrap: wrap; gap: 8px; margin-block-start: 10px; }
.pill {
  min-block-size: 38px; padding: 7px 14px; border-color: var(--edge); border-radius: 19px; background: var(--surface);
  text-align: start; font-size: 14px; font-weight: 550; line-height: 1.4;
}
.pill:hover { border-color: var(--accent); background: var(--tint); }
.card { inline-size: 100%; margin-block-start: 10px; overflow: hidden; border: 1px solid var(--edge); border-radius: 16px; background: var(--raised); }
.card header { padding: 13px 16px 0; }
.card small { display: block; font-size: 12.5px; color: var(--muted); }
.card :is(h3, legend) { font-size: 16px; font-weight: 650; line-height: 1.35; letter-spacing: -.006em; }
.card dl { display: grid; grid-template-columns: minmax(0, max-content) minmax(0, 1fr); gap: 5px 16px; padding: 10px 16px 4px; font-size: 14px; }
.card dt { color: var(--muted); }
.card dd { font-weight: 600; font-variant-numeric: tabular-nums; overflow-wrap: anywhere; white-space: pre-wrap; }
.card footer { display: flex; flex-wrap: wrap; gap: 8px; padding: 10px 16px 14px; }
.card .state { padding: 0 16px 13px; font-size: 13px; color: var(--muted); }
.solid, .outline { min-block-size: 40px; padding: 8px 16px; border-radius: 12px; font-size: 14px; font-weight: 600; }
.solid { background: var(--accent); color: var(--on-accent); }
.solid:hover { filter: brightness(1.08); }
.outline { border-color: var(--edge); background: var(--surface); }
.outline:hover { background: var(--tint); }
:is(.solid, .outline)[disabled] { border-color: var(--line); background: var(--canvas); color: var(--muted); cursor: default; filter: none; }
.rating { margin-block-start: 18px; }
.rating legend { padding: 13px 16px 0; }
.stars { display: flex; padding: 4px 9px 2px; }
.stars label { position: relative; padding: 7px; border-radius: 10px; cursor: pointer; color: transparent; }
.stars svg { inline-size: 28px; block-size: 28px; stroke: var(--edge); stroke-width: 1.4; stroke-linejoin: round; }
.stars label:is(:has(input:checked), :has(~ label input:checked)) { color: var(--accent); }
.stars label:is(:has(input:checked), :has(~ label input:checked)) svg { stroke: var(--accent); }
.stars label:has(:focus-visible) { outline: 2px solid var(--accent); outline-offset: -2px; }
.card .ask { display: block; padding: 6px 16px 0; font-size: 13px; color: var(--muted); }
.card textarea {
  display: block; inline-size: calc(100% - 32px); min-block-size: 64px; margin: 5px 16px 0; padding: 9px 12px; resize: vertical;
  border: 1px solid var(--edge); border-radius: 12px; background: var(--surface); font-size: 14px;
}

/* Where the customer writes */
.composer { padding: 10px 12px 12px; border-block-start: 1px solid var(--line); background: var(--surface); }
.box { border: 1px solid var(--edge); border-radius: 16px; }
.box:has(textarea:focus) { border-color: var(--accent); box-shadow: 0 0 0 1px var(--accent); }
.box textarea {
  display: block; inline-size: 100%; min-block-size: 38px; max-block-size: 140px; padding: 11px 14px 2px; resize: none;
  border: 0; outline: 0; background: none; line-height: 1.45;
}
textarea::placeholder { color: var(--muted); opacity: 1; }
.tools { display: flex; align-items: center; gap: 6px; padding: 4px 6px 6px; }
.tools .plain { inline-size: 38px; block-size: 38px; }
.grow { flex: 1; }
.person-button {
  display: flex; align-items: center; gap: 7px; min-block-size: 38px; padding: 6px 13px 6px 9px; border-color: var(--line);
  border-radius: 12px; background: var(--canvas); text-align: start; font-size: 13.5px; font-weight: 600; line-height: 1.2;
}
.person-button:hover { border-color: var(--accent); background: var(--tint); }
.person-button svg { inline-size: 19px; block-size: 19px; color: var(--accent); }
.person-button[aria-busy="true"] svg { animation: pulse .8s infinite alternate; }
.send { inline-size: 38px; block-size: 38px; flex: none; display: grid; place-items: center; padding: 0; border-radius: 12px; background: var(--accent); color: var(--on-accent); }
.send[aria-disabled="true"] { border-color: var(--line); background: var(--canvas); color: var(--muted); cursor: default; }
.send:dir(rtl) svg { transform: scaleX(-1); }
.count { font-size: 12.5px; color: var(--muted); }
.count:not(:empty) { padding: 6px 8px 0; }
.count.over { color: var(--error); }

@keyframes rise { from { opacity: 0; transform: translateY(12px); } }
@keyframes bob { 30% { transform: translateY(-4px); } 60% { transform: none; } }
@keyframes pulse { to { opacity: .35; } }
@keyframes late { from, 80% { opacity: 0; } }

@media (max-width: 520px), (max-height: 480px) {
  .panel:not(.inline), :host([data-position="start"]) .panel:not(.inline) {
    inset: 0; inline-size: 100vw; block-size: 100dvh; border: 0; border-radius: 0;
  }
  textarea, .card textarea { font-size: 16px; } /* below that, phones zoom into the field */
}
@media (max-height: 480px) { .head { padding-block: 6px; } .intro { display: none; } }
@media (prefers-reduced-motion: reduce) { *, ::before, ::after { animation: none !important; transition: none !important; } }
@media (forced-colors: active) {
  :focus-visible { outline-color: Highlight; }
  .box:has(textarea:focus) { outline: 2px solid Highlight; }
  .disclosure::before, .dots i { background: CanvasText; }
  .customer .bubble, .solid, .launcher, .send, .newest { border-color: ButtonText; }
  .send[aria-disabled="true"], [disabled] { color: GrayText; }
  .stars label { forced-color-adjust: none; color: Canvas; }
  .stars svg { stroke: CanvasText; }
  .stars label:is(:has(input:checked), :has(~ label input:checked)) { color: Highlight; }
}
@media print { .launcher, .panel:not(.inline) { display: none; } }
`;
