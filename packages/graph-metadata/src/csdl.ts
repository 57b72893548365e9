/** A type of Graph's metadata with its members; names without `microsoft.graph.`. */
export interface CsdlType {
  readonly base?: string;
  readonly isAbstract?: boolean;
  /** May carry properties that are not declared. */
  readonly isOpen?: boolean;
  /** Members are left out of the metadata kept here. */
  readonly isPartial?: boolean;
  readonly properties?: Readonly<Record<string, CsdlProperty>>;
}

/** A property, or a parameter of an action. */
export interface CsdlProperty {
  /** `Edm.…`, or the name of an enum or a type. */
  readonly type: string;
  readonly isCollection?: boolean;
  /** `Nullable="false"`. */
  readonly isRequired?: boolean;
  /** Given by the service: a client that creates the entity has none yet. */
  readonly isKey?: boolean;
}

export interface CsdlEnum {
  readonly members: readonly string[];
  /** Several members may be given, with commas. */
  readonly isFlags?: boolean;
}

export interface CsdlAction {
  readonly name: string;
  /** Such as `call` or `Collection(participant)`. */
  readonly boundTo: string;
  readonly parameters: Readonly<Record<string, CsdlProperty>>;
  readonly returns?: string;
}

/** What is used of a CSDL document (OData Common Schema Definition Language 4.0). */
export interface Csdl {
  readonly enums: Readonly<Record<string, CsdlEnum>>;
  readonly types: Readonly<Record<string, CsdlType>>;
  readonly actions: readonly CsdlAction[];
}
