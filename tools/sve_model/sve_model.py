#!/usr/bin/env python3
"""Models the SVE kernels of a cross-built library (doc/sve.md): nothing here is measured on an Arm CPU.

  sve_model.py loops     cycles a step of k of each loop of GEMM, triangles and convolution by llvm-mca, beside the
                         bound of the FMA ports
  sve_model.py packing   instructions of packing and of GEMM at 1024^3, counted under qemu
  sve_model.py attention cycles of softmax and of a whole chunk of attention, each call followed instruction by
                         instruction under qemu and given to llvm-mca, beside the bound of the ports
"""
import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
# FMA ports, and cycles from sum to sum of one chain (Neoverse passes sums on early), of the CPUs with a model.
CPUS = {'neoverse-v1': (2, 2), 'neoverse-v2': (4, 2), 'neoverse-n2': (2, 2), 'a64fx': (2, 9)}
# The ports that SVE arithmetic goes through, and the vector length, of the CPUs whose attention is modelled.
ARITHMETIC = {'neoverse-v1': (('V1UnitV0', 'V1UnitV1'), 256),
              'neoverse-v2': (('V2UnitV0', 'V2UnitV1', 'V2UnitV2', 'V2UnitV3'), 128)}
LOOPS = 'gemm.*(3vx8|2vx10)|gemm_c.*(3vx4|2vx5)|(solve|multiply).*3vx8|conv_(f32|u8)_(2vx14|1vx16|4vx6)|conv_s8_4vx6|lanes_f32_(1vx14|2vx7)'
QUERIES, KEYS, DEPTHS = 48, 256, (64, 128, 256)
VECTOR_BITS = (128, 256, 512, 1024, 2048)
KB = {'f32': 384, 'f64': 256}
SIZE = 1024


def tool(*names):
    for name in names:
        if shutil.which(name):
            return name
    sys.exit(f'sve_model.py: none of {", ".join(names)} is installed (see doc/sve.md)')


def output(command, **options):
    return subprocess.run(command, check=True, text=True, stdout=subprocess.PIPE, **options).stdout


def functions(library, which=r'tsr_(gemm_(b?f|c)\d+|(solve|multiply)_[fc]\d+|conv_[fus]\d+|conv_lanes_f\d+)_.*_sve'):
    """Yields (symbol, [(address, instruction)]) of the GEMM, triangle, convolution or other kernels in the library."""
    text = output([tool('aarch64-linux-gnu-objdump'), '-d', '--no-show-raw-insn', library])
    symbol, body = None, []
    for line in text.splitlines():
        head = re.match(r'[0-9a-f]+ <(\w+)>:', line)
        if head:
            if body:
                yield symbol, body
            symbol, body = head[1], []
        step = re.match(r'\s+([0-9a-f]+):\s+(.*)', line)
        if step and symbol and re.match(which, symbol):
            body.append((int(step[1], 16), re.sub(r'\s*//.*', '', step[2])))
    if body:
        yield symbol, body


def k_loops(body):
    """The loops over k: those that jump back to a load and hold no store."""
    for end, (address, text) in enumerate(body):
        jump = re.match(r'b\.g[te]\s+([0-9a-f]+)', text)
        if not jump or int(jump[1], 16) >= address:
            continue
        loop = [t for a, t in body[:end + 1] if a >= int(jump[1], 16)]
        if not any(t.startswith('st1') for t in loop):
            yield loop


def simulate(code, cpu, times):
    """llvm-mca's summary and resource pressure of a list of instructions that follow one another `times` times."""
    mca = tool('llvm-mca-19', '/usr/lib/llvm-19/bin/llvm-mca', 'llvm-mca')  # before 16 there is no model of SVE
    text = '\n'.join(re.sub(r'\b[0-9a-f]+ <.*', '.', t) for t in code)  # it knows no addresses
    # A64FX is narrower than the dispatch of 8 that describes the Neoverse cores.
    width = [] if cpu == 'a64fx' else ['-dispatch=8']
    return output([mca, '-mtriple=aarch64', '-mattr=+i8mm', f'-mcpu={cpu}', *width, f'-iterations={times}', '--all-views=false',
                   '--summary-view', '--resource-pressure'], input=text)


def total_cycles(text):
    return int(re.search(r'Total Cycles:\s+(\d+)', text)[1])


def cycles(loop, cpu):
    return total_cycles(simulate(loop, cpu, 1000)) / 1000


def bound(products, cpu):
    ports, latency = CPUS[cpu]
    return max(products / ports, latency)


def multiplications(loop):
    return sum(bool(re.match('fmla|fmls|fcmla|usdot|sudot', t)) for t in loop)


def kind(loop):
    if any(t.startswith('tb') for t in loop):
        return 'masked'
    return 'by LD1RQ' if any('ld1rq' in t for t in loop) else 'by LD1R' if any('ld1r' in t for t in loop) else 'by LD1'


def print_loops(options):
    print('Modelled cycles a step of k / bound (FMLA over FMA ports, or the latency of one chain); llvm-mca')
    print(f'{"kernel":30} {"loop":9} {"FMLA":>4} {"instr.":>6}  ' + '  '.join(f'{c:>15}' for c in CPUS))
    for symbol, body in functions(options.archive):
        if not re.search(options.kernel, symbol):
            continue
        rows, columns = map(int, re.search(r'_(\d+)vx(\d+)_', symbol).groups())
        products = rows * columns * (2 if re.search(r'_c\d+_', symbol) else 1)  # FMLA a step
        for loop in k_loops(body):
            steps = multiplications(loop) / products
            cells = [f'{cycles(loop, c) / steps:6.2f} / {bound(products, c):5.2f}' for c in CPUS
                     if c != 'a64fx' or not any('dot' in t for t in loop)]
            print(f'{symbol:30} {kind(loop):9} {products:4} {len(loop) / steps:6.1f}  ' + '  '.join(f'{c:>15}' for c in cells))


def build_one_call(folder, library):
    program = os.path.join(folder, 'one_call')
    output([tool('aarch64-linux-gnu-gcc'), '-O1', '-static', '-no-pie', '-D_GNU_SOURCE', '-I', ROOT,
            '-I', f'{ROOT}/include', f'{ROOT}/tools/sve_model/one_call.c', library, '-lm', '-lpthread', '-o', program])
    table = {}
    for line in output(['aarch64-linux-gnu-nm', '-S', program]).splitlines():
        fields = line.split()
        if len(fields) == 4:
            table[fields[3]] = (int(fields[0], 16), int(fields[1], 16))
    return program, table


def follow(program, table, bits, symbol, m, n, k, *layout):
    """The addresses of the instructions that one call executes: with -singlestep each is a block of its own."""
    start, size = table[symbol]
    command = [tool('qemu-aarch64-static', 'qemu-aarch64'), '-cpu',
               f'max,sve-max-vq={bits // 128},sve-default-vector-length=-1', '-singlestep', '-d', 'exec,nochain',
               '-dfilter', f'{start:#x}+{size:#x}', program, symbol, str(m), str(n), str(k), *layout]
    run = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)
    addresses = [int(line.split(b'/')[1], 16) for line in run.stderr if line.startswith(b'Trace')]
    if run.wait() != 0 or not addresses:
        sys.exit(f'sve_model.py: {" ".join(command)} failed')
    return addresses


def count(*call):
    return len(follow(*call))


def print_packing(options):
    print(f'Instructions at {SIZE}^3 per element packed, and the share of packing in all (modelled from counts under qemu)')
    print(f'{"type":4} {"bits":>5} {"GEMM":>12} ' + ' '.join(f'{c:>9}' for c in ('A PACK_N', 'A PACK_T', 'B PACK_N', 'B PACK_T')) +
          f' {"NN":>6} {"TN":>6} {"NT":>6} {"TT":>6}')
    with tempfile.TemporaryDirectory() as folder:
        program, table = build_one_call(folder, options.archive)
        for kind, k in KB.items():
            for bits in VECTOR_BITS:
                rows = 3 * bits // (32 if kind == 'f32' else 64)
                gemm = count(program, table, bits, f'tsr_gemm_{kind}_3vx8_sve', 2 * rows, 8, k) / (2 * rows * 8 * k)
                cost = {(width, way): count(program, table, bits, f'tsr_pack_{way}_{kind}_sve', 4 * width, width, k) /
                                      (4 * width * k) for width in (rows, 8) for way in 'nt'}
                # A as stored and B as stored, column-major: a B that is not transposed lies along k.
                share = {}
                for a in 'nt':
                    for b in 'nt':
                        packing = (cost[rows, a] + cost[8, 't' if b == 'n' else 'n']) * SIZE**2
                        share[a + b] = 100 * packing / (packing + gemm * SIZE**3)
                print(f'{kind:4} {bits:5} {gemm * SIZE**3 / 1e6:10.1f} M ' +
                      ' '.join(f'{cost[key]:9.3f}' for key in ((rows, 'n'), (rows, 't'), (8, 'n'), (8, 't'))) + ' ' +
                      ' '.join(f'{share[key]:5.2f}%' for key in ('nn', 'tn', 'nt', 'tt')), flush=True)


class Calls:
    """Models calls of kernels: (cycles, cycles of the arithmetic ports if they share the work evenly)."""

    def __init__(self, folder, library):
        self.program, self.table = build_one_call(folder, library)
        self.text = {a: t for _, body in functions(self.program, r'tsr_\w+_sve') for a, t in body}

    def model(self, cpu, *call):
        ports, bits = ARITHMETIC[cpu]
        code = [self.text[a] for a in follow(self.program, self.table, bits, *call)]
        text = simulate([t for t in code if t != 'ret'], cpu, 1)
        names = re.findall(r'^\[(\S+)\]\s+- (\S+)', text, re.M)
        pressure = re.search(r'Resource pressure per iteration:\n.*\n(.*)', text)[1].split()
        used = sum(float(p) for (_, name), p in zip(names, pressure) if name in ports and p != '-')
        return total_cycles(text), used / len(ports)


def print_softmax(calls):
    print(f'Modelled cycles for 16 scores / bound (work of the arithmetic ports), {KEYS} keys of one call')
    for symbol, rows, how in (('tsr_softmax_f32_sve', QUERIES, ()), ('tsr_softmax_t_f32_sve', 4, ()),
                              ('tsr_softmax_f32_sve', QUERIES, ('masked',)), ('tsr_softmax_t_f32_sve', 4, ('masked',))):
        for cpu in ARITHMETIC:
            taken, bound = (c * 16 / (rows * KEYS) for c in calls.model(cpu, symbol, rows, KEYS, 1, *how))
            print(f'{symbol:21} {rows:3} rows {"".join(how):6} {cpu:11} {taken:6.2f} / {bound:6.2f} '
                  f'{100 * bound / taken:5.1f}%', flush=True)


def print_chunk(calls):
    print(f'Modelled thousands of cycles of {QUERIES} queries and {KEYS} keys in f32; share of the FMA peak and its bound')
    parts = ('QK', 'softmax', 'PV', 'merge')
    print(f'{"CPU":12} {"d":>4} ' + ' '.join(f'{p:>8}' for p in parts) + f' {"all":>8} {"peak":>6} {"bound":>6}')
    for cpu in ARITHMETIC:
        ports, bits = ARITHMETIC[cpu]
        for d in DEPTHS:
            few = 32  # columns; the others cost the same
            calls_of = ((KEYS / few, 'tsr_gemm_f32_3vx8_sve', QUERIES, few, d, 'qk'),
                        (1, 'tsr_softmax_f32_sve', QUERIES, KEYS, 1),
                        (d / few, 'tsr_gemm_f32_3vx8_sve', QUERIES, few, KEYS, 'pv'),
                        (d / few, 'tsr_merge_f32_sve', QUERIES, few, 1))
            times = [[scale * c for c in calls.model(cpu, *call)] for scale, *call in calls_of]
            taken, bound = (sum(t[i] for t in times) for i in (0, 1))
            fma = 2 * QUERIES * KEYS * d / (bits / 32 * len(ports))
            print(f'{cpu:12} {d:4} ' + ' '.join(f'{t[0] / 1000:8.1f}' for t in times) +
                  f' {taken / 1000:8.1f} {100 * fma / taken:5.1f}% {100 * fma / bound:5.1f}%', flush=True)


def print_attention(options):
    with tempfile.TemporaryDirectory() as folder:
        calls = Calls(folder, options.archive)
        print_softmax(calls)
        print_chunk(calls)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument('what', choices=('loops', 'packing', 'attention'))
    parser.add_argument('--library', dest='archive', default=f'{ROOT}/build-sve/libtessera.a', help='the cross-built static library')
    parser.add_argument('--kernel', default=LOOPS, help='regular expression of symbols for `loops`')
    options = parser.parse_args()
    if not os.path.exists(options.archive):
        sys.exit(f'sve_model.py: no {options.archive}; build it first (see doc/sve.md) or name it with --library')
    {'loops': print_loops, 'packing': print_packing, 'attention': print_attention}[options.what](options)


if __name__ == '__main__':
    main()
