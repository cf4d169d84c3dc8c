import type { ConsumerReport } from "@redis-batch/monitor";
import type { PartitionRow } from "../../src/watch/watcher.ts";
import { Status, Text } from "../parts/basics.tsx";
import { count, duration } from "../parts/format.ts";
import { type Column, Table } from "../parts/table.tsx";
import { groupAddress, type Tab } from "../state/route.ts";

interface PartitionsProperties {
  readonly group: string;
  readonly rows: readonly PartitionRow[];
  readonly consumers: readonly ConsumerReport[];
  /** The view of a partition that its link leads to. */
  readonly tab: Tab;
}

/** The partitions of a stream, each with a link to what only it can show. */
export function Partitions({ group, rows, consumers, tab }: PartitionsProperties) {
  const ownerOf = (partition: number) => consumers.find((one) => one.partitions?.includes(partition))?.consumer;
  const columns: readonly Column<PartitionRow>[] = [
    { name: "State", cell: (one) => <Status of={one.health} /> },
    { name: "Owner", cell: (one) => <Text of={ownerOf(one.partition) ?? "nobody"} /> },
    { name: "Waiting", isNumber: true, cell: (one) => count(one.waiting) },
    { name: "Oldest deliverable", isNumber: true, cell: (one) => duration(one.ageMs) },
    { name: "Pending", isNumber: true, cell: (one) => count(one.pending) },
    { name: "Dead letters", isNumber: true, cell: (one) => count(one.deadLetters) },
  ];
  return (
    <>
      <h2>Partitions</h2>
      <Table
        label="Partitions"
        first="Partition"
        rows={rows}
        keyOf={(one) => one.stream}
        name={(one) => (
          <span>
            <a href={groupAddress(one.stream, group, tab)}>{one.partition}</a>
          </span>
        )}
        columns={columns}
      />
    </>
  );
}
