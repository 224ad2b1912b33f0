import { scaleLinear } from 'd3-scale';
import { valueColours } from './charts/shap-swarm.ts';
import { mostNumericColumns } from './table.ts';

/**
 * Paper, ink and a small palette that stays apart for colour-blind readers (after Okabe and Ito: blue against orange;
 * red and green only ever with a shape of their own). Charts name colours by class, so one drawing serves both schemes.
 */
const light = {
  paper: '#fdfcf9',
  ink: '#1d1c1a',
  muted: '#67635b',
  quiet: '#9c978c',
  rule: '#dfdbd2',
  faint: '#efece4',
  blue: '#0c5a92',
  bar: '#b3cbdd',
  orange: '#c4540a',
  red: '#ad1d2d',
  green: '#1c7549',
  amber: '#946200',
};

const dark: typeof light = {
  paper: '#17181b',
  ink: '#e8e5de',
  muted: '#a6a196',
  quiet: '#77736b',
  rule: '#36373c',
  faint: '#26282c',
  blue: '#74b3e4',
  bar: '#3c566b',
  orange: '#ee9350',
  red: '#f07a80',
  green: '#63c392',
  amber: '#dfb154',
};

/** Low, middle and high values of a feature; the middle steps back from both schemes' paper. */
const values = { light: ['#1667ad', '#a797ad', '#cf4c05'], dark: ['#4f9fe6', '#857c90', '#f58a3c'] };

/** The style sheet of every page. */
export function theme(): string {
  return [
    `:root{color-scheme:light dark;${variables(light, values.light)}}`,
    `@media screen and (prefers-color-scheme:dark){:root{${variables(dark, values.dark)}}}`,
    page,
    drawing,
    numericColumns(),
    Array.from({ length: valueColours }, (_, v) => `.v${v}{stroke:var(--v${v})}`).join(''),
    phone,
    print,
  ]
    .join('\n')
    .replace(/\n\s*/g, '\n');
}

/** Tables name their columns of numbers once (`n2 n5`) instead of in every cell. */
function numericColumns(): string {
  const cells = Array.from({ length: mostNumericColumns }, (_, c) => `.n${c + 1} tr>:nth-child(${c + 1})`);
  return `${cells.join(',')}{text-align:right;font-variant-numeric:tabular-nums lining-nums}${cells.map((cell) => cell.replace('tr>', 'td')).join(',')}{white-space:nowrap}`;
}

function variables(palette: typeof light, [low, middle, high]: readonly string[]): string {
  const colour = scaleLinear([0, (valueColours - 1) / 2, valueColours - 1], [low, middle, high]);
  const named = Object.entries(palette).map(([name, value]) => `--${name}:${value}`);
  return [...named, ...Array.from({ length: valueColours }, (_, v) => `--v${v}:${colour(v)}`)].join(';');
}

const page = `
*{box-sizing:border-box}
html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Noto Sans","Liberation Sans",Arial,sans-serif;font-variant-numeric:lining-nums}
main,header,footer{max-width:1034px;margin:0 auto;padding:0 32px}
h1,h3,.lead,.sentence{font-family:"Iowan Old Style","Charter","Bitstream Charter","Source Serif 4","Sitka Text",Cambria,Georgia,"Noto Serif","Liberation Serif",serif;text-wrap:balance}
a{color:inherit;text-decoration-color:var(--quiet);text-underline-offset:3px}
a:hover{text-decoration-color:currentColor}
:focus-visible{outline:2px solid var(--blue);outline-offset:3px}
code{font:13px/1.5 ui-monospace,"SF Mono","Cascadia Mono",Menlo,Consolas,"Liberation Mono",monospace;overflow-wrap:anywhere}
td code{white-space:nowrap}
.sr{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%);white-space:nowrap}
header{padding-top:40px;padding-bottom:44px}
.eyebrow{display:flex;max-width:none;flex-wrap:wrap;gap:2px 18px;margin:0;padding-top:12px;border-top:3px solid var(--ink);font-size:13px;color:var(--muted)}
.eyebrow b{color:var(--ink);font-weight:650}
.eyebrow :last-child{margin-left:auto}
h1{margin:44px 0 0;max-width:24em;font-size:38px;line-height:1.16;font-weight:600;letter-spacing:-.012em}
.verdict{display:grid;grid-template-columns:34px 1fr;margin:36px 0 0;padding:22px 0 24px;border:solid var(--rule);border-width:1px 0}
.verdict svg{width:22px;height:22px;margin-top:3px}
.verdict p{margin:0;max-width:44em}
.verdict .sentence{font-size:23px;line-height:1.3;font-weight:600}
.verdict .reason{margin-top:8px;color:var(--muted);grid-column:2}
.facts{display:flex;flex-wrap:wrap;gap:14px 44px;margin:24px 0 0}
.facts dt,.lineage dt{font-size:12px;color:var(--muted)}
.facts dd{margin:0}
.brief{margin-top:44px}
.brief h2{position:static;margin:0 0 6px}
.brief ul{list-style:none;margin:0;padding:0}
.brief li{display:grid;grid-template-columns:26px 184px 1fr;padding:9px 0;border-top:1px solid var(--rule)}
.brief svg{margin-top:3px}
.brief a{font-weight:600;text-decoration:none}
.brief a:hover{text-decoration:underline}
section{display:grid;grid-template-columns:190px minmax(0,740px);gap:40px;padding:52px 0 60px;border-top:1px solid var(--ink)}
h2{display:flex;gap:10px;margin:0;font-size:14px;line-height:1.5;font-weight:650;position:sticky;top:20px;align-self:start}
h2 svg{flex:none;margin-top:3px}
.body>*+*{margin-top:52px}
.body>.lead+*,.body>p+figure,.body>figure+.note,.body>.scroll+.note{margin-top:20px}
.body>h3+*{margin-top:8px}
.body>p+p.note{margin-top:10px}
.lead{margin:0;font-size:20px;line-height:1.35;font-weight:600;max-width:34em}
h3{margin:0 0 12px;font-size:20px;line-height:1.32;font-weight:600;max-width:34em}
.half h3{font-size:17px}
h3.quiet{margin-bottom:0;font:650 14px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Noto Sans","Liberation Sans",Arial,sans-serif}
p{margin:0;max-width:44em}
.note,figcaption{font-size:13px;line-height:1.5;color:var(--muted);max-width:52em}
figure{margin:0;min-width:0}
figcaption{margin-top:12px}
.pairs{display:grid;grid-template-columns:repeat(2,minmax(0,1fr));gap:0 52px;margin-bottom:-52px}
.pairs figure{display:grid;grid-template-rows:subgrid;grid-row:span 5;margin-bottom:52px}
.pairs h3{grid-row:1}.pairs .legend{grid-row:2}.pairs .chart{grid-row:3;align-self:start}.pairs figcaption{grid-row:4}.pairs details{grid-row:5;min-width:0}
.pairs:empty{display:none}
.legend{display:flex;flex-wrap:wrap;gap:3px 20px;margin:0 0 14px;padding:0;list-style:none;font-size:13px;color:var(--muted)}
.legend svg{width:24px;margin-right:6px;vertical-align:-1px;overflow:visible}
details{margin-top:12px;font-size:13px}
summary{width:max-content;padding:2px 0;color:var(--muted);cursor:pointer}
summary:hover{color:var(--ink)}
.scroll{overflow-x:auto}
table{border-collapse:collapse;min-width:100%;font-size:13px;line-height:1.4;font-variant-numeric:tabular-nums lining-nums}
th{padding:10px 18px 6px 0;border-bottom:1px solid var(--ink);font-weight:500;color:var(--muted);text-align:left;vertical-align:bottom}
td{padding:7px 18px 7px 0;border-bottom:1px solid var(--rule);vertical-align:top}
th:last-child,td:last-child{padding-right:0}
.aside{display:block;color:var(--muted);max-width:36em}
.outcome{white-space:nowrap}
.outcome svg{width:14px;height:14px;margin-right:8px;vertical-align:-2px}
.verdict-line{display:flex;gap:9px;min-width:16em}
.verdict-line svg{width:14px;height:14px;flex:none;margin-top:2px}
.lineage{display:grid;grid-template-columns:130px minmax(0,1fr);gap:9px 20px;margin:0}
.lineage dt{font-size:13px}
.lineage dd{margin:0;overflow-wrap:anywhere}
footer{padding-top:20px;padding-bottom:56px;font-size:13px;color:var(--muted)}
footer p{border-top:1px solid var(--ink);padding-top:16px;max-width:none}
`;

const drawing = `
.defs{position:absolute;width:0;height:0}
.chart{display:block;width:100%;height:auto;overflow:visible;font-size:12px}
.chart.spark{width:112px}
.legend .chart{display:inline-block}
svg text{fill:var(--ink);paint-order:stroke;stroke:var(--paper);stroke-width:3px;stroke-linejoin:round}
svg text.muted,.axis text{fill:var(--muted)}
svg .strong{font-weight:650}
svg .small{font-size:11px}
svg .n{font-variant-numeric:tabular-nums}
.blue{--c:var(--blue)}.orange{--c:var(--orange)}.red{--c:var(--red)}.ink{--c:var(--ink)}.muted{--c:var(--muted)}.quiet{--c:var(--quiet)}.rule{--c:var(--rule)}.faint{--c:var(--faint)}.bar{--c:var(--bar)}
.fill{fill:var(--c)}
.line{fill:none;stroke:var(--c);stroke-width:1.5}
.line.rule{stroke-width:1}
.thick{stroke-width:2.5}
.hollow{fill:var(--paper);stroke:var(--c);stroke-width:1.6}
.dashed{stroke-dasharray:5 4}
.limit{stroke:var(--ink);stroke-dasharray:3 2.5}
.wanted{fill:var(--green);opacity:.13}
.hatched{fill:url(#hatched)}
.dotted{fill:url(#dotted)}
.axis line{stroke:var(--rule);stroke-width:1}
.track{stroke:var(--quiet);stroke-width:1.5}
.band{fill:var(--blue)}
.outer{opacity:.14}
.inner{opacity:.3}
.swarm{fill:none;stroke-width:7.2;stroke-linecap:round}
.legend .swarm{stroke-width:9}
.vx{stroke:var(--quiet)}
.fill.case{fill:var(--paper);stroke:var(--ink);stroke-width:2}
.mark{width:16px;height:16px;overflow:visible}
.passed{--c:var(--green)}.notice{--c:var(--blue)}.warned{--c:var(--amber)}.failed{--c:var(--red)}.skipped{--c:var(--quiet)}
.face{fill:var(--c)}
.ground{fill:var(--paper)}
.sign{fill:none;stroke:var(--paper);stroke-width:2;stroke-linecap:round;stroke-linejoin:round}
.ring{fill:var(--paper);stroke:var(--c);stroke-width:1.8}
.ring.dashed{stroke-dasharray:3 2.5}
.narrow{display:none}
`;

const phone = `
@media screen and (max-width:1000px){
section{grid-template-columns:minmax(0,1fr);gap:18px;max-width:740px;margin:0 auto}
header{max-width:804px}
footer{max-width:804px}
h2{position:static}
}
@media screen and (max-width:760px){
.pairs{grid-template-columns:minmax(0,1fr)}
.half .chart{max-width:440px}
}
@media screen and (max-width:640px){
main,header,footer{padding-left:18px;padding-right:18px}
header{padding-top:20px;padding-bottom:36px}
.eyebrow :last-child{margin-left:0}
h1{margin-top:30px;font-size:29px}
.verdict{margin-top:26px;grid-template-columns:30px 1fr}
.verdict .sentence{font-size:20px}
.facts{gap:10px 28px}
.brief li{grid-template-columns:26px 1fr}
.brief li p{grid-column:2}
.stacked thead{position:absolute;width:1px;height:1px;overflow:hidden;clip-path:inset(50%)}
.stacked tr{display:block;padding:10px 0;border-bottom:1px solid var(--rule)}
.stacked tr>td:nth-child(n){display:block;padding:1px 0;border:0;text-align:left;white-space:normal}
.stacked td[data-label]:not(:empty)::before{content:attr(data-label) ": ";color:var(--muted)}
section{padding:34px 0 42px}
h3,.lead{font-size:18px}
.body>*+*{margin-top:40px}
.wide{display:none}
.narrow{display:block;max-width:440px}
.narrow .swarm{stroke-width:5.4}
.lineage{grid-template-columns:minmax(0,1fr);gap:2px}
.lineage dd{margin-bottom:10px}
}
`;

const print = `
@page{margin:15mm 14mm}
@media print{
:root{--paper:#fff}
body{font-size:10pt}
main,header,footer{max-width:none;padding-left:0;padding-right:0}
header{padding-top:0}
h1{margin-top:22px;font-size:24pt}
.verdict{margin-top:22px;padding:14px 0 16px}
.verdict,.brief li{break-inside:avoid}
.brief{margin-top:28px}
.brief li{padding:6px 0}
section{display:block;padding:16px 0 26px}
h2{position:static;margin-bottom:14px;break-after:avoid}
h3,.body>p{break-after:avoid}
.body>p:last-child{break-after:auto}
figure,tr,.lineage{break-inside:avoid}
.pairs{gap:0 30px;margin-bottom:-30px}
.pairs figure{margin-bottom:30px}
.body>*+*{margin-top:30px}
.scroll{overflow:visible}
table,.note,figcaption{font-size:9pt}
th,td{padding-right:12px}
details:not([open]){display:none}
a{text-decoration:none}
}
`;
