import { isInputObjectType, isInterfaceType, isObjectType, type GraphQLField, type GraphQLNamedType, type GraphQLObjectType, type GraphQLSchema } from "graphql";

type Field = GraphQLField<unknown, unknown>;

/** A place of the contract that has a description. */
export interface Place {
  readonly type: GraphQLNamedType;
  readonly field?: Field;
}

const MOST = 40;

/** Words that a question has and an answer need not have. */
const SMALL = new Set("a an and are by can do does for from how i if in is it its me my of on or that the they this to was what when where which who whose why with".split(" "));

const words = (text: string) => text.replace(/([a-z])([A-Z])/g, "$1 $2").toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];

/** Finds types and fields by words of their names and descriptions: places that have all of them first, and of these
 * where to begin, the fields of Query, Mutation and Subscription. */
export function find(schema: GraphQLSchema, asked: string): Place[] {
  const all = words(asked);
  const wanted = all.some((word) => !SMALL.has(word)) ? all.filter((word) => !SMALL.has(word)) : all;
  if (wanted.length === 0) return [];
  const roots = new Set<GraphQLNamedType | null | undefined>([schema.getQueryType(), schema.getMutationType(), schema.getSubscriptionType()]);
  const found: { place: Place; points: number }[] = [];
  const weigh = (place: Place) => {
    const name = words(place.field?.name ?? place.type.name);
    const text = words((place.field ?? place.type).description ?? "");
    let met = 0;
    let points = 0;
    for (const word of wanted) {
      const inName = name.some((other) => other.startsWith(word));
      const inText = text.some((other) => other.startsWith(word));
      if (inName || inText) met++;
      points += inName ? 3 : inText ? 2 : 0;
    }
    if (met > 0) found.push({ place, points: points + (met === wanted.length ? 100 : 0) + (roots.has(place.type) && place.field ? 1 : 0) });
  };
  for (const type of Object.values(schema.getTypeMap())) {
    if (type.name.startsWith("__")) continue;
    weigh({ type });
    if (isObjectType(type) || isInterfaceType(type) || isInputObjectType(type)) {
      for (const field of Object.values(type.getFields())) weigh({ type, field: field as Field });
    }
  }
  const best = found.some(({ points }) => points >= 100) ? found.filter(({ points }) => points >= 100) : found;
  return best
    .sort((a, b) => b.points - a.points)
    .slice(0, MOST)
    .map(({ place }) => place);
}

/** The first sentence of a description. */
export function sentence({ description }: { description?: string | null }): string {
  return /^.*?[.:;](?=\s|$)/s.exec(description ?? "")?.[0] ?? description ?? "";
}

/** The fields of a root type by concept, in the order of the concepts. */
export function grouped(root: GraphQLObjectType, concepts: Concepts): [string, Field[]][] {
  const fields = Object.values(root.getFields()) as Field[];
  const groups = Object.entries(concepts).map(([concept, names]): [string, Field[]] => [concept, fields.filter((field) => names.includes(`${root.name}.${field.name}`))]);
  const rest = fields.filter((field) => !groups.some(([, of]) => of.includes(field)));
  return [...groups, ["More", rest] as [string, Field[]]].filter(([, of]) => of.length > 0);
}

/** By the name of a concept, the fields that are about it, such as Query.ci. */
export type Concepts = Readonly<Record<string, readonly string[]>>;
