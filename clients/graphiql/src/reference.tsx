import { DOC_EXPLORER_PLUGIN, DocExplorer, useDocExplorer, useDocExplorerActions } from "@graphiql/plugin-doc-explorer";
import { pick, useGraphiQL } from "@graphiql/react";
import type { GraphQLObjectType, GraphQLSchema } from "graphql";
import { useEffect, useMemo, useRef, useState } from "react";
import concepts from "virtual:concepts";
import { find, grouped, sentence, type Place } from "./find";

const rootsOf = (schema: GraphQLSchema) =>
  [schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()].filter((type): type is GraphQLObjectType => !!type);

/** GraphiQL's documentation, which opens on Query, shows the fields of Query, Mutation and Subscription by concept, and
 * is searched by words of names and descriptions. */
function Reference() {
  const { schema } = useGraphiQL(pick("schema"));
  const stack = useDocExplorer();
  const { push } = useDocExplorerActions();
  const [asked, setAsked] = useState("");
  const opened = useRef(false);
  const found = useMemo(() => (schema && asked.trim() ? find(schema, asked) : null), [schema, asked]);

  useEffect(() => {
    const query = schema?.getQueryType();
    if (opened.current || !query || stack.length > 1) return;
    opened.current = true;
    push({ name: query.name, def: query });
  }, [schema, stack, push]);

  function open({ type, field }: Place) {
    push({ name: type.name, def: type });
    if (field) push({ name: field.name, def: field });
    setAsked("");
  }

  const roots = schema ? rootsOf(schema) : [];
  const root = roots.find((type) => type === stack.at(-1)?.def);
  return (
    <section className="linchpin-reference" aria-label="Reference">
      <input
        type="search"
        aria-label="Find in the documentation"
        placeholder="Find: who is down, owner, restart …"
        value={asked}
        onChange={(event) => setAsked(event.target.value)}
      />
      {found && (
        <ul aria-label="Found">
          {found.length === 0 && <li>Nothing has these words.</li>}
          {found.map((place) => (
            <li key={`${place.type.name}.${place.field?.name ?? ""}`}>
              <button type="button" onClick={() => open(place)}>
                <strong>{place.field ? `${place.type.name}.${place.field.name}` : place.type.name}</strong>
                <span>{sentence(place.field ?? place.type)}</span>
              </button>
            </li>
          ))}
        </ul>
      )}
      {!found && (
        <nav aria-label="Roots">
          {roots.map((type) => (
            <button key={type.name} type="button" aria-current={type === root} onClick={() => push({ name: type.name, def: type })}>
              {type.name}
            </button>
          ))}
        </nav>
      )}
      {!found && root && (
        <>
          {grouped(root, concepts).map(([concept, fields]) => (
            <section key={concept} aria-label={concept}>
              <h3>{concept}</h3>
              {fields.map((field) => (
                <button key={field.name} type="button" title={field.description ?? ""} onClick={() => push({ name: field.name, def: field })}>
                  <strong>{field.name}</strong>
                  <span>{sentence(field)}</span>
                </button>
              ))}
            </section>
          ))}
        </>
      )}
      {!found && !root && <DocExplorer />}
    </section>
  );
}

// GraphiQL knows its documentation by this object, and keeps its place for no other.
DOC_EXPLORER_PLUGIN.content = Reference;
