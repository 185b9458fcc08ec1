/** The fields of a class of the cluster's client: what travels is plain data, and may be spread as such. */
export type FieldsOf<Class> = { [Field in keyof Class]: Class[Field] };
