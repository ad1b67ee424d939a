// node schema.mjs PACKAGE PREFIX type… > schema.json
//
// Writes the part of a provider's schema that the named types need, read out of
// the provider's published type bindings (PACKAGE: an unpacked npm package of
// them; PREFIX: aws, helm). A type is resource:aws_sns_topic or data:aws_region.
// What the bindings can't tell (limits, formats, what conflicts) is not checked.
import { readFileSync, readdirSync } from 'node:fs';

const [root, prefix, ...types] = process.argv.slice(2);

// The bindings' folder of a type, its code and its declarations.
function sources(folder) {
  const dir = `${root}/lib/${folder}`;
  const read = (ending) => readdirSync(dir).filter((f) => f.endsWith(ending)).sort()
    .map((f) => readFileSync(`${dir}/${f}`, 'utf8').replace(/\n\/\/# sourceMappingURL=.*/, '')).join('\n');
  return { js: read('.js'), main: readFileSync(`${dir}/index.js`, 'utf8').replace(/\n\/\/# sourceMappingURL=.*/, ''), dts: read('.d.ts') };
}

const camel = (name) => name.replace(/_+([a-z0-9])/g, (_, c) => c.toUpperCase());
const capital = (s) => s[0].toUpperCase() + s.slice(1);

// The text between a beginning and the end of its block, which stands at indent.
function body(text, begins, indent) {
  const from = text.indexOf(begins);
  if (from < 0) return '';
  const to = text.indexOf(`\n${indent}}`, from);
  return text.slice(from, to < 0 ? undefined : to);
}

// Which properties an interface asks for; all others are optional.
function requiredOf(dts, name) {
  const text = body(dts, `export interface ${name} `, '');
  return new Set([...text.matchAll(/readonly (\w+): /g)].map((m) => m[1]));
}

const simple = { string: 'string', number: 'number', boolean: 'bool' };

// A type in terms of string, number, bool and [list|set|map, element].
function typeOf(kind, storage) {
  const element = simple[storage.replace(/(List|Map|Set)$/, '')];
  if (!element) return 'dynamic';
  return kind === 'simple' ? element : [kind, element];
}

// Attributes and blocks as the function that writes them out lists them.
function fields(src, text, required) {
  const found = { attributes: {}, blocks: {} };
  const entry = /\n\s+(\w+): \{\n\s+value: (.*),\n\s+isBlock: (true|false),\n\s+type: "(\w+)",\n\s+storageClassType: "(\w+)"/g;
  for (const [, name, value, isBlock, kind, storage] of text.matchAll(entry)) {
    const must = required.has(camel(name));
    const writer = value.match(/(?:^|\()(\w+)ToHclTerraform/)?.[1];
    if (isBlock === 'false' || !writer) {
      found.attributes[name] = { type: typeOf(kind, storage), required: must };
    } else if (prefix !== 'aws' && name !== 'timeouts') {
      // A provider of the newer kind: nested attributes, written with =.
      found.attributes[name] = { type: 'dynamic', required: must };
    } else {
      const inner = body(src.js, `function ${writer}ToHclTerraform(`, '');
      found.blocks[name] = { nesting: kind === 'struct' ? 'single' : kind, required: must, ...fields(src, inner, requiredOf(src.dts, capital(writer))) };
    }
  }
  return found;
}

const getters = { String: 'string', Number: 'number', Boolean: 'bool', List: ['list', 'string'], StringMap: ['map', 'string'], NumberMap: ['map', 'number'], BooleanMap: ['map', 'bool'], NumberList: ['list', 'number'] };

function typeSchema(kind, name) {
  const folder = kind === 'provider' ? 'provider' : (kind === 'data' ? `data-${prefix}-` : '') + name.slice(prefix.length + 1).replaceAll('_', '-');
  const src = sources(folder);
  const cls = src.main.match(/class (\w+) extends cdktf\.Terraform(?:Resource|DataSource|Provider)/)?.[1];
  if (!cls) throw new Error(`${folder}: no class`);
  const text = src.main.slice(src.main.indexOf(`class ${cls} `));
  const out = fields(src, body(text, 'synthesizeHclAttributes() {', '    '), requiredOf(src.dts, `${cls}Config`));
  // What can be read and not set is computed; what can be both is left optional
  // and computed where a provider fills it in.
  const filled = new Set(['id', 'region', 'tags_all', 'arn', 'name_prefix']);
  for (const [, how, attribute] of text.matchAll(/this\.get(\w+)Attribute\('(\w+)'\)/g)) {
    const known = out.attributes[attribute];
    if (!known) out.attributes[attribute] = { type: getters[how] ?? 'dynamic', computed: true };
    else if (filled.has(attribute) && !known.required) known.computed = known.optional = true;
  }
  for (const [, attribute] of text.matchAll(/= new \w+(?:List|Map|OutputReference)\(this, "(\w+)"/g)) {
    if (!out.attributes[attribute] && !out.blocks[attribute]) out.attributes[attribute] = { type: 'dynamic', computed: true };
  }
  return out;
}

const schema = { provider: typeSchema('provider', 'provider'), resources: {}, data: {} };
for (const t of types) {
  const [kind, name] = t.split(':');
  schema[kind === 'data' ? 'data' : 'resources'][name] = typeSchema(kind, name);
}
process.stdout.write(JSON.stringify(schema));
