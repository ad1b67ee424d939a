// node types.mjs TOOLS TEMPLATE… > cloudformation.json
//
// Writes the properties of the resource types that the templates use, out of AWS'
// own specification (the npm package aws-service-spec under TOOLS).
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';

const [tools, ...templates] = process.argv.slice(2);
const { loadAwsServiceSpecSync } = createRequire(`${tools}/package.json`)('@aws-cdk/aws-service-spec');
const spec = loadAwsServiceSpecSync();

const definitions = {};

// A type in JSON: a word, ["list"|"map", element], ["one", …] or {"of": definition}.
function type(t) {
  switch (t.type) {
    case 'array': return ['list', type(t.element)];
    case 'map': return ['map', type(t.element)];
    case 'union': return ['one', ...t.types.map(type)];
    case 'ref': {
      const id = t.reference.$ref;
      if (!(id in definitions)) {
        definitions[id] = {}; // a type may hold itself
        definitions[id] = properties(spec.get('typeDefinition', id));
      }
      return { of: id };
    }
    default: return t.type;
  }
}

function properties(holder) {
  return Object.fromEntries(Object.entries(holder.properties).map(([name, p]) => [name, { type: type(p.type), required: !!p.required }]));
}

const names = new Set(templates.flatMap((path) => [...readFileSync(path, 'utf8').matchAll(/^ {4}Type: (AWS::\S+)$/gm)].map((m) => m[1])));
const resources = {};
for (const name of names) {
  const found = spec.lookup('resource', 'cloudFormationType', 'equals', name);
  if (found.length !== 1) continue; // the test says which are missing
  const r = found.only();
  resources[name] = { properties: properties(r), attributes: Object.keys(r.attributes) };
}
process.stdout.write(JSON.stringify({ resources, definitions }));
