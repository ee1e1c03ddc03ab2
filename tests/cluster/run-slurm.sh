#!/bin/bash
# Runs the Slurm job files of pipelines/cluster on this machine alone: slurmctld and slurmd of Debian's slurm-wlm in a scratch folder, 8
# shards of samples/clothing, two of them killed and run again, merged, compared with one undivided run row for row.
# Needs root (munged, slurmd), `make` done, and: apt-get install slurm-wlm munge. Prints what it checked; exit code 1 when a check fails.
set -euo pipefail
repository=$(cd "$(dirname "$0")/../.." && pwd)
export TRANSFER=${TRANSFER:-$repository/bin/transfer}
for tool in slurmctld slurmd sbatch munged; do
  command -v "$tool" >/dev/null || { echo "missing: $tool (apt-get install slurm-wlm munge)" >&2; exit 2; }
done
[ -x "$TRANSFER" ] || { echo "missing: $TRANSFER (run make)" >&2; exit 2; }

scratch=$(mktemp -d /tmp/transfer-slurm-XXXXXX)
chmod 755 "$scratch"
host=$(hostname -s)
pids=()
finish() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  [ -n "${KEEP:-}" ] && echo "kept $scratch" || rm -rf "$scratch"
}
trap finish EXIT

mkdir -p "$scratch"/{munge,state,spool,logs,jobs}
dd if=/dev/urandom of="$scratch/munge/key" bs=128 count=1 status=none
chmod 700 "$scratch/munge"; chmod 600 "$scratch/munge/key"
munged --foreground --force --key-file="$scratch/munge/key" --socket="$scratch/munge/socket" --pid-file="$scratch/munge/pid" \
  --log-file="$scratch/munge/log" --seed-file="$scratch/munge/seed" >/dev/null 2>&1 &
pids+=($!)

cat >"$scratch/slurm.conf" <<EOF
ClusterName=local
SlurmctldHost=$host(127.0.0.1)
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$scratch/munge/socket
CredType=cred/munge
StateSaveLocation=$scratch/state
SlurmdSpoolDir=$scratch/spool
SlurmctldPidFile=$scratch/slurmctld.pid
SlurmdPidFile=$scratch/slurmd.pid
SlurmctldLogFile=$scratch/logs/slurmctld
SlurmdLogFile=$scratch/logs/slurmd
SlurmctldPort=26817
SlurmdPort=26818
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SwitchType=switch/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
ReturnToService=2
MpiDefault=none
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP
EOF
export SLURM_CONF=$scratch/slurm.conf
sleep 1
slurmctld -D >/dev/null 2>&1 & pids+=($!)
slurmd -D >/dev/null 2>&1 & pids+=($!)
for _ in $(seq 60); do sinfo -h -o %T 2>/dev/null | grep -q idle && break; sleep 1; done
sinfo -h -o %T | grep -q idle || { echo "slurm did not start:" >&2; tail -5 "$scratch"/logs/* >&2; exit 1; }
echo "slurm $(sinfo --version | cut -d' ' -f2) on $host"

export DATA=$repository/samples/clothing OUT=$scratch/features
cd "$scratch/jobs"
await() { while [ -n "$(squeue -h -j "$1" 2>/dev/null)" ]; do sleep 1; done; }
rows() { "$TRANSFER" features show "$1" --json | tr ',' '\n' | sed -n 's/.*"rows": *\([0-9]*\).*/\1/p' | head -1; }

# Shards 3 and 6 are killed hard as soon as they have begun.
array=$(sbatch --parsable --array=1-8 --export=ALL "$repository/pipelines/cluster/slurm-array.sbatch")
killed=0
for shard in 3 6; do
  for _ in $(seq 600); do
    [ -e "$OUT/shard-$shard/.lock" ] && break
    sleep 0.1
  done
  pid=$(pgrep -f -- "--shard $shard/8 .*$scratch" | head -1 || true)
  [ -n "$pid" ] && kill -9 "$pid" && killed=$((killed + 1))
done
await "$array"
incomplete=0
for shard in 3 6; do "$TRANSFER" features verify "$OUT/shard-$shard" >/dev/null 2>&1 || incomplete=$((incomplete + 1)); done
echo "array $array: $killed of shards 3 and 6 killed, $incomplete of them incomplete"
[ "$killed" = 2 ] || { echo "FAILED: the shards did not run long enough to be killed:" >&2; tail -q -n 3 transfer-extract-*.log >&2; exit 1; }

again=$(sbatch --parsable --array=3,6 --export=ALL,SHARDS=8 "$repository/pipelines/cluster/slurm-array.sbatch")
# What a merge that died would leave.
mkdir -p "$OUT/merged.new" "$OUT/merged"; echo half >"$OUT/merged.new/part-00000.parquet"
merge=$(sbatch --parsable --dependency="afterok:$again" --export=ALL "$repository/pipelines/cluster/slurm-merge.sbatch")
await "$again"; await "$merge"
cat transfer-merge-"$merge".log
"$TRANSFER" extract --data "$DATA" --model efficientnet-lite0 --out "$scratch/whole" >/dev/null 2>&1

# Row for row: the same paths, labels and values in the same order.
"$TRANSFER" features export "$OUT/merged" --format csv --out "$scratch/merged" >/dev/null
"$TRANSFER" features export "$scratch/whole" --format csv --out "$scratch/whole" >/dev/null
[ "$(wc -l <"$scratch/whole.csv")" = $(($(rows "$scratch/whole") + 1)) ] || { echo "FAILED: the undivided run's CSV is not whole"; exit 1; }
cmp "$scratch/merged.csv" "$scratch/whole.csv" || { echo "FAILED: the merged set differs from the undivided run"; exit 1; }
echo "PASSED: 8 shards, two killed and run again, merged: $(rows "$OUT/merged") rows, equal to the undivided run byte for byte as CSV"
