/** How one call of the benchmarks is run. */
export interface Settings {
  /** Seconds that each measurement lasts, after its warm-up. */
  readonly seconds: number
  /** How often each is measured; the median is told. */
  readonly runs: number
  /** A folder of this call, removed at its end. */
  readonly folder: string
  /** Takes every single measurement. */
  readonly raw: (row: object) => void
}

/** One of a scenario's figures beside a peer's. */
export interface Row {
  readonly setting: string
  /** What is counted, with its unit. */
  readonly measure: string
  readonly isMoreBetter: boolean
  readonly ours: number
  /** Empty where the figure stands alone. */
  readonly peer: string
  /** Undefined where the peer is not installed. */
  readonly theirs: number | undefined
}

export interface Scenario {
  readonly id: string
  readonly title: string
  run(settings: Settings): Promise<Row[]>
}

/** One measurement of one side. */
export interface Sample {
  readonly perSecond: number
  readonly cpuPer100k: number
}

/** Both figures of a side beside those of its peer. */
export function rowsOf(
  setting: string,
  unit: string,
  ours: readonly Sample[],
  peer: string,
  theirs: readonly Sample[] | undefined,
): Row[] {
  const speed = (samples: readonly Sample[]) => median(samples.map(({ perSecond }) => perSecond))
  const cost = (samples: readonly Sample[]) => median(samples.map(({ cpuPer100k }) => cpuPer100k))
  return [
    {
      setting,
      measure: `${unit}/s`,
      isMoreBetter: true,
      ours: speed(ours),
      peer,
      theirs: theirs && speed(theirs),
    },
    {
      setting,
      measure: `CPU s per 100,000 ${unit}`,
      isMoreBetter: false,
      ours: cost(ours),
      peer,
      theirs: theirs && cost(theirs),
    },
  ]
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((left, right) => left - right)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Calls `measure` for each subject in turn, `runs` times over, so that what disturbs the machine disturbs all alike. */
export async function interleaved<S, M extends Sample>(
  runs: number,
  subjects: readonly S[],
  measure: (subject: S) => Promise<M>,
): Promise<Map<S, M[]>> {
  const samples = new Map<S, M[]>(subjects.map((subject) => [subject, []]))
  for (let run = 0; run < runs; run++) {
    for (const subject of subjects) samples.get(subject)!.push(await measure(subject))
  }
  return samples
}
