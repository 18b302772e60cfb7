// Monaco asks for its workers when the first editor opens, so this file is the
// first import of the entry. GraphiQL's own set-up is not used: the Vite one
// breaks the dev server of Vite 8 and the other loads from a CDN.
import type {} from "monaco-editor";
import EditorWorker from "monaco-editor/esm/vs/editor/editor.worker.js?worker";
import JSONWorker from "monaco-editor/esm/vs/language/json/json.worker.js?worker";
import GraphQLWorker from "monaco-graphql/esm/graphql.worker.js?worker";

self.MonacoEnvironment = {
  getWorker(_id: string, label: string): Worker {
    if (label === "json") return new JSONWorker();
    if (label === "graphql") return new GraphQLWorker();
    return new EditorWorker();
  },
};
