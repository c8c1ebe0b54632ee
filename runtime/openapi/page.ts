/** Told to the browser: nothing is loaded from anywhere, and nothing but this page's own script runs. */
export function contentSecurityPolicy(nonce: string): string {
  return `default-src 'none'; connect-src 'self'; style-src 'nonce-${nonce}'; script-src 'nonce-${nonce}'`;
}

const style = `
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; color: #222; }
  h1 { margin-bottom: 0; } .about { margin-top: 0; color: #555; }
  table { border-collapse: collapse; margin: 1rem 0; } th, td { text-align: left; padding: .25rem 1.5rem .25rem 0; }
  th { color: #555; font-weight: 500; } code, textarea, pre { font: 14px/1.5 ui-monospace, monospace; }
  textarea { box-sizing: border-box; width: 100%; height: 16rem; padding: .5rem; }
  pre { background: #f4f4f4; padding: .75rem; overflow: auto; max-height: 24rem; white-space: pre-wrap; }
  button { font: inherit; padding: .4rem 1.5rem; margin: .5rem 1rem .5rem 0; } .bad { color: #a00; }
`;

/** Reads the OpenAPI document beside it; texts of the model go into the page as text, never as HTML. */
const script = `
  const element = (name, text) => { const made = document.createElement(name); made.textContent = text; return made; };
  const row = (cells, kind) => { const made = document.createElement('tr'); made.append(...cells.map((cell) => element(kind, cell))); return made; };
  const api = await (await fetch('openapi.json')).json();
  const path = Object.keys(api.paths).find((name) => name.endsWith('/infer'));
  const operation = api.paths[path].post;
  const content = operation.requestBody.content['application/json'];
  document.title = api.info.title;
  document.querySelector('h1').textContent = api.info.title;
  document.querySelector('.about').textContent = api.info.description;
  const fill = (id, tensors) => document.getElementById(id).append(row(['name', 'datatype', 'shape'], 'th'), ...tensors.map(({ properties }) =>
    row([properties.name.const, properties.datatype.const, properties.shape.description ?? 'any'], 'td')));
  fill('inputs', content.schema.properties.inputs.items.oneOf);
  fill('outputs', operation.responses[200].content['application/json'].schema.properties.outputs.items.oneOf);
  const request = document.querySelector('textarea');
  request.value = content.example === undefined ? '' : JSON.stringify(content.example);
  const send = async () => {
    const startedAt = performance.now();
    const answer = await fetch('..' + path, { method: 'POST', body: request.value });
    const text = await answer.text();
    const status = document.getElementById('status');
    status.textContent = answer.status + ' in ' + (performance.now() - startedAt).toFixed(1) + ' ms';
    status.className = answer.ok ? '' : 'bad';
    let shown = text;
    try { shown = JSON.stringify(JSON.parse(text), null, 2); } catch { /* NaN is shown as it came */ }
    document.getElementById('answer').textContent = shown;
  };
  document.querySelector('button').addEventListener('click', send);
`;

export function buildPage(nonce: string): string {
  return `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Headgate</title>
<style nonce="${nonce}">${style}</style>
<h1>…</h1>
<p class="about"></p>
<h2>Inputs</h2><table id="inputs"></table>
<h2>Outputs</h2><table id="outputs"></table>
<h2>Try it</h2>
<textarea spellcheck="false" aria-label="Request"></textarea>
<button>Send</button><span id="status" role="status"></span>
<pre id="answer" aria-label="Answer"></pre>
<p>This page is made from <a href="openapi.json">openapi.json</a>, from which clients can be generated.</p>
<script type="module" nonce="${nonce}">${script}</script>
</html>
`;
}
