import type { ComponentChildren } from "preact";

export interface Column<Row> {
  readonly name: string;
  readonly isNumber?: boolean;
  readonly cell: (row: Row) => ComponentChildren;
}

interface TableProperties<Row> {
  readonly label: string;
  /** The heading of the first column, whose cells are made by `name`. */
  readonly first: string;
  readonly rows: readonly Row[];
  readonly keyOf: (row: Row) => string;
  readonly name: (row: Row) => ComponentChildren;
  readonly columns: readonly Column<Row>[];
}

/** A table that becomes a list of cards on a narrow page. The roles stay then, which `display` would take away. */
export function Table<Row>({ label, first, rows, keyOf, name, columns }: TableProperties<Row>) {
  return (
    <div class="cards" role="region" aria-label={label} tabIndex={0}>
      <table role="table">
        <thead>
          <tr role="row">
            <th role="columnheader" scope="col">
              {first}
            </th>
            {columns.map((column) => (
              <th role="columnheader" scope="col" key={column.name} class={classOf(column)}>
                {column.name}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr role="row" key={keyOf(row)}>
              <td role="cell" class="name">
                {name(row)}
              </td>
              {columns.map((column) => (
                <td role="cell" key={column.name} class={classOf(column)} data-name={column.name}>
                  {column.cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const classOf = ({ isNumber }: { readonly isNumber?: boolean }): string | undefined =>
  isNumber ? "number" : undefined;
