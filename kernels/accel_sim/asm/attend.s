; ATTEND of kernel.h: rows of queries against runs of keys, out = softmax(scale Q K') V, without the scores ever being
; stored as a whole. A launch takes some tiles of R rows; a tile goes through its keys in blocks of `bk`.
;
; A row's weights are exp(scale (s - m)) with one m a row, so that O and the sums need no rescaling: O stays in L0C for
; all of a tile. m is subtracted by the cube: Q has one more column, -m, and K one more, 1. Which m:
;   estimate   the largest score of the row in the first blocks of its keys (argument 27), rounded to 16 bits
;   main       everything by that m; the largest weight of each row is kept
;   again      for tiles where a weight grew beyond LIMIT: the estimate over all keys, and main once more
; The scores leave L0C as f16 ("softmax=f16": rounded relative to m, which costs weights e^-x about x 2^-12) or as f32.
;
; Estimate and main are one loop, a pipeline over the blocks of all tiles: in a round, K of one block is loaded while
; the one before is multiplied, and so on (how many rounds
; later, through memory / where routes L0C - UB - L1 are there):
;   load K 0   Q K' 2/1   scores to UB, weights, to memory or L1 4/2   V, weights to L1 6/2   P V 7/4   sums 8/5
;   out 9/6
; A block is a word that is handed down from d0 on: bit 0 is 1, 1 first and 2 last of its tile, 4 and 6 its slots of
; three and four, 16 its tile, 32 its number.
;
; Flags "free", raised before and after every launch (attend_start.s):
;   mte1 -> mte2   0-3 K slots, 4-6 V and P slots, 7 Q        m -> mte1   0-2 slots of L0B, 3 P, 4 Q in L0A
;   fix -> m       0, 1 scores, 2 O                           mte2 -> fix 0-2 scores in memory, 3 O in memory
;   v -> mte2      0, 1 mask, 2-4 UB slots (estimate), 5 m    v -> fix    0-2 UB slots (estimate, direct)
;   mte3 -> fix    0-2 UB slots (direct)                      mte2 -> mte3, mte1 -> mte3  0-2 P in memory, in L1
;   mte3 -> mte2   6, 7 pieces of O                           mte3 -> v   0 -m, 1 lse
; "ready", within a launch:
;   mte2 -> mte1   as mte1 -> mte2                            mte1 -> m   0-2
;   m -> fix       as fix -> m                                fix -> mte2 as mte2 -> fix; fix -> v 0-2 (direct)
;   mte2 -> v      0-2 scores, 3, 4 mask, 5, 6 pieces of O, 7 m and sums
;   v -> mte3      0-2 P, 3, 4 pieces of O, 5 sums, 6 -m, 7 lse
;   mte3 -> mte2   0-2 P, 5 sums                              mte3 -> mte1 0-2 P (direct)
; In UB a slot of scores is free for mte2 once it has loaded the weights that were there: its own order says so.
;
; Layouts: scores in UB, and P everywhere, are columns of fractals: [bk / 16][R][16].
;
; Tiles of the call are counted head by head, with PAIRS in pairs of a head: its first and its last tile, and so on. A
; launch takes the tiles (pairs) FIRST, FIRST + STRIDE, ... A tile goes through its keys forward if its number among
; the tiles of its head is even, else backward: cores that all did the same would ask L2 for the same kind of data at
; the same time.
.program accel_attend
; Arguments.
.const Q = 0
.const K = 1
.const V = 2
.const OUT = 3
.const LOGS = 4             ; f32 [batch][head][query], or 0
.const Q_STEP = 5           ; bytes from batch to batch, head to head, row to row
.const K_STEP = 8
.const V_STEP = 11
.const OUT_STEP = 14
.const HEADS = 17           ; of Q in a batch
.const GROUP = 18           ; of them share one of K
.const QUERIES = 19
.const KEYS = 20
.const SIZES = 21           ; d_qk, d_v << 16, R << 32, bk << 48
.const DIAGONAL = 22        ; the last key that query 0 sees
.const BEFORE = 23          ; keys before its last that a query sees
.const FLAGS = 24           ; below; tiles (with PAIRS twice the pairs), at most 64, << 16
.const ESTIMATE = 25        ; blocks of the estimate, 0: all
.const FIRST = 26
.const STRIDE = 27
.const PER_HEAD = 28        ; tiles or pairs
.const SCALE = 29           ; bits of f32, those of f16 << 32
.const SCRATCH = 30         ; memory of the core, and behind it the tables: device.c
.const TABLES = 31
; FLAGS
.const CAUSAL = 2
.const WINDOW = 256
.const DIRECT = 4
.const PAIRS = 1
.const SOFTMAX_F32 = 8
.const BF16 = 16
.const OUT_F16 = 32
.const OUT_BF16 = 64

.const LIMIT_F16 = 0x5c00   ; 256, as f16
.const LIMIT_F32 = 0x7400   ; 16384

; UB
.const SLOT = 32768         ; of scores, three
.const MASK = 98304         ; two pieces [R][16]
.const MASK_BYTES = 8192
.const NARROW = 114688      ; weights in f16 that are stored as bf16
.const MOST = 131072        ; a block's largest weights [bk / 16][R], f16
.const SUM = 132096         ; and its sums: [bk / 16][R][2] in f32, or [bk / 16][R] in f16 and, at SUM_WIDE, in f32
.const SUM_WIDE = 133120
.const SUMS = 136192        ; of a tile, four by turns
.const SUMS_BYTES = 4096
.const MOSTS = 152576       ; of a tile, four by turns
.const MOSTS_BYTES = 1024
.const NEGATED = 156672     ; vectors of R
.const WORK1 = 157184
.const M16 = 157696
.const M32 = 158208
.const WORK2 = 158720
.const WORK3 = 159232
.const INVERSE = 159744
.const TOTAL = 160256
.const LSE = 160768
.const CHECK = 161280       ; a tile's largest weight, 32 bytes each
.const SUM_PAIRS = 164864       ; [R][8], of which two hold sums
.const SPREAD = 168960      ; [32][8]
.const FACTOR = 169984      ; [32][64]
.const PIECE = 178176       ; of O, two
.const PIECE_BYTES = 8192
.const ONES = 194560
.const ZEROS = 194816

; A core's scratch memory
.const GM_S = 0             ; three slots of 32 KiB
.const GM_P = 98304         ; three of 16
.const GM_O = 147456
.const GM_M = 278528        ; 256 bytes a tile
.const GM_PAIRS = 294912    ; 1 KiB each, of four tiles by turns
.const GM_ONES = 299008
.const GM_ZEROS = 299264

; Mask tables: rows of 160, 128 of them, f16 then f32: visible up to the diagonal, then from the diagonal on; and at
; their end, as f16 and as f32, a row whose first 16 are visible.
.const TABLE = 20480        ; elements
.const TABLES_F32 = 81920
.const EDGE = 245760

.const K_CHUNK = 9          ; fractals of k that a mad takes, and
.const N_CHUNK = 8          ; of O's columns
.const PIECE_ROWS = 32
.const PIECE_COLS = 64

.reg rows = r1        ; R, in whole fractals
.reg row_blocks = r2
.reg k_blocks = r3    ; fractals along d_qk, with the column of m
.reg v_blocks = r4    ; along d_v
.reg bk = r5
.reg bk_blocks = r6
.reg k_slot = r7      ; bytes
.reg l1_k = r8
.reg l1_v = r9
.reg v_slot = r10
.reg l1_p = r11
.reg p_slot = r12
.reg k_now = r13      ; the tile's keys and values, its diagonal: what stages keep from block to block
.reg l0b_slot = r14
.reg l0c_s = r15
.reg v_now = r16
.reg scratch = r17
.reg backward = r18
.reg flags = r19
.reg bubble = r20     ; 1: a round without a block comes next
.reg row = r21
.reg esize = r22      ; bytes of a score in UB
.reg estimate = r23   ; 1: the run is an estimate
.reg end_tile = r24
.reg tile_next = r25  ; what the run takes next
.reg block_next = r26
.reg block_end = r27
.reg turn3 = r28      ; slots by turns
.reg turn4 = r29
.reg diagonal = r30
.reg turn_l0b = r31
.reg turn_mask = r32
.reg turn_piece = r33
.reg blocks_most = r34 ; of a tile in this run, 0: all
.reg left = r35       ; rounds after the last block was taken up
.reg first_block = r36
.reg tile_now = r37
.reg phase = r38      ; 0 estimate, 1 main, 2 again: estimate, 3 again: main
.reg again = r39      ; the tile looked at
.reg d0 = r40
.reg d1 = r41
.reg d2 = r42
.reg d3 = r43
.reg d4 = r44
.reg d5 = r45
.reg d6 = r46
.reg d7 = r47
.reg d8 = r48
.reg d9 = r49
.reg x = r50          ; a stage's block
.reg slot = r51       ; of three
.reg tile = r52
.reg block = r53
.reg n = r54          ; keys in it
.reg n_blocks = r55
.reg a = r56
.reg b = r57
.reg c = r58
.reg d = r59
.reg e = r60
.reg f = r61
.reg g = r62
.reg h = r63

; Sizes and places.
  arg flags, FLAGS
  arg a, SIZES
  andi k_blocks, a, 0xffff
  addi k_blocks, k_blocks, 31
  shri k_blocks, k_blocks, 4
  shri v_blocks, a, 16
  andi v_blocks, v_blocks, 0xffff
  addi v_blocks, v_blocks, 15
  shri v_blocks, v_blocks, 4
  shri rows, a, 32
  andi rows, rows, 0xffff
  shri row_blocks, rows, 4
  shri bk, a, 48
  shri bk_blocks, bk, 4
  arg scratch, SCRATCH
  mul l1_k, k_blocks, row_blocks
  shli l1_k, l1_k, 9
  mul k_slot, k_blocks, bk_blocks
  shli k_slot, k_slot, 9
  shli l1_v, k_slot, 2
  add l1_v, l1_v, l1_k
  mul v_slot, v_blocks, bk_blocks
  shli v_slot, v_slot, 9
  muli l1_p, v_slot, 3
  add l1_p, l1_p, l1_v
  mul p_slot, row_blocks, bk_blocks
  shli p_slot, p_slot, 9
  muli l0b_slot, bk_blocks, 512 * K_CHUNK
  mul l0c_s, v_blocks, row_blocks
  shli l0c_s, l0c_s, 10

; The columns of ones and zeros, and SUM_PAIRS' zeros.
  li b, 0x3c00
  andi c, flags, BF16
  beq c, r0, one_known
  li b, 0x3f80
one_known:
  li c, ONES
  li d, ZEROS
  v.dup.f16 c, b, bk
  v.dup.f16 d, r0, rows
  li e, SUM_PAIRS
  shli f, rows, 3
  v.dup.f32 e, r0, f
  li e, CHECK
  li f, 512
  v.dup.f32 e, r0, f
  set_flag v, mte3, 0
  wait_flag v, mte3, 0
  li a, 1
  addi e, scratch, GM_ONES
  shli f, bk, 1
  st.ub.gm e, c, a, f, f, f
  addi g, scratch, GM_ZEROS
  shli h, rows, 1
  st.ub.gm g, d, a, h, h, h
  set_flag mte3, mte2, 0
  wait_flag mte3, mte2, 0
  addi b, k_blocks, -1
  mul b, b, bk_blocks
  shli b, b, 9
  add b, b, l1_k
  li c, 2
  li d, 4
  loop d, ones_placed
    ld.gm.l1.b16 b, e, bk, a, c, bk_blocks
    add b, b, k_slot
ones_placed:
  pipe_barrier all

; Estimate and main of all tiles.
  li phase, 0
  li again, -1
  li estimate, 1
  arg blocks_most, ESTIMATE
  li tile_next, 0
  shri end_tile, flags, 16
  jmp run

; A run has ended; what now?
next_run:
  pipe_barrier all
  li a, 1
  bne phase, r0, not_estimated
  shri end_tile, flags, 16
  li tile_next, 0
  jmp start_main
not_estimated:
  li b, 2
  beq phase, b, estimated_again
  arg a, ESTIMATE
  beq a, r0, done
next_check: ; the first run of main, or main again, is over: the next tile whose weights grew too large
  li phase, 1
  addi again, again, 1
  shri a, flags, 16
  bge again, a, done
  shli a, again, 5
  addi a, a, CHECK
  ld.ub.b16 b, a
  li c, LIMIT_F16
  andi d, flags, SOFTMAX_F32
  beq d, r0, limit_known
  li c, LIMIT_F32
limit_known:
  bge c, b, next_check
  li phase, 2
  li estimate, 1
  li blocks_most, 0
  mov tile_next, again
  addi end_tile, again, 1
  jmp run
estimated_again:
  mov tile_next, again
start_main:
  addi phase, phase, 1
  li estimate, 0
  li blocks_most, 0
run:
  li esize, 2
  bne estimate, r0, size_known
  andi a, flags, SOFTMAX_F32
  beq a, r0, size_known
  li esize, 4
size_known:
  li block_next, 0
  li block_end, 0
  li left, 10
  li d1, 0
  li d2, 0
  li d3, 0
  li d4, 0
  li d5, 0
  li d6, 0
  li d7, 0
  li d8, 0
  li d9, 0

; The next block.
round:
  li d0, 0
  blt block_next, block_end, take
  bne bubble, r0, rest
  blt tile_next, end_tile, begin_tile
  addi left, left, -1
  beq left, r0, next_run
rest:
  li bubble, 0
  jmp load_k
begin_tile:
  mov tile, tile_next
  addi tile_next, tile_next, 1
.include "attend_tile.s"
  beq d, r0, not_second
  add a, c, c           ; d: the number of tiles - 1. The one in the middle is no pair
  beq a, d, round
not_second:
  mov tile_now, tile
  andi backward, c, 1
  arg block_end, KEYS
  li first_block, 0
  andi e, flags, CAUSAL
  beq e, r0, bounded
  mul c, c, rows
  arg a, DIAGONAL
  add c, c, a
  add a, c, rows        ; one behind the last key of the last row
  li b, 1
  max a, a, b
  min block_end, block_end, a
bounded:
  add block_end, block_end, bk
  addi block_end, block_end, -1
  div block_end, block_end, bk
  andi e, flags, WINDOW
  beq e, r0, begun
  arg d, BEFORE
  sub c, c, d
  max c, c, r0
  div first_block, c, bk
  addi a, block_end, -1
  min first_block, first_block, a
begun:
  mov block_next, first_block
  beq blocks_most, r0, begun_short
  add a, first_block, blocks_most
  min block_end, block_end, a
begun_short: ; a tile takes two rounds at least: what is kept of four tiles must last until their ends
  addi a, first_block, 1
  bne a, block_end, take
  li bubble, 1
take:
  mov b, block_next
  bne estimate, r0, forward
  beq backward, r0, forward
  add b, block_end, first_block
  addi b, b, -1
  sub b, b, block_next
forward:
  shli d0, b, 32
  shli a, tile_now, 16
  or d0, d0, a
  shli a, turn3, 4
  or d0, d0, a
  shli a, turn4, 6
  or d0, d0, a
  addi d0, d0, 1
  bne block_next, first_block, not_first
  addi d0, d0, 2
not_first:
  addi block_next, block_next, 1
  bne block_next, block_end, not_last
  addi d0, d0, 4
not_last:
  addi turn4, turn4, 1
  andi turn4, turn4, 3
  addi turn3, turn3, 1
  li a, 3
  bne turn3, a, load_k
  li turn3, 0

; K, and of a tile's first block Q with its column of -m.
load_k:
  beq d0, r0, multiply_k
  mov x, d0
  shri tile, x, 16
  andi tile, tile, 0xffff
  shri block, x, 32
  andi a, x, 2
  beq a, r0, load_k_rows
  wait_flag mte1, mte2, 7
.include "attend_tile.s"
  arg d, K
  arg e, K_STEP
  mul e, e, a
  add d, d, e
  arg e, GROUP
  div e, b, e
  arg f, K_STEP + 1
  mul e, e, f
  add k_now, d, e
  arg d, Q
  arg e, Q_STEP
  mul e, e, a
  add d, d, e
  arg e, Q_STEP + 1
  mul e, e, b
  add d, d, e
  mul c, c, rows
  arg e, Q_STEP + 2
  mul f, e, c
  add d, d, f
  arg b, QUERIES
  sub b, b, c
  min b, b, rows
  arg c, SIZES
  andi c, c, 0xffff
  ld.gm.l1.b16 r0, d, b, c, e, row_blocks
  addi a, k_blocks, -1
  mul a, a, rows
  shli a, a, 5
  addi b, scratch, GM_ZEROS
  bne estimate, r0, m_known
  shli b, tile, 8
  addi b, b, GM_M
  add b, b, scratch
m_known:
  li c, 1
  li d, 2
  ld.gm.l1.b16 a, b, rows, c, d, row_blocks
  set_flag mte2, mte1, 7
load_k_rows:
  shri slot, x, 6
  andi slot, slot, 3
  wait_flag mte1, mte2, slot
  mul a, slot, k_slot
  add a, a, l1_k
  mul c, block, bk
  arg n, KEYS
  sub n, n, c
  min n, n, bk
  arg d, K_STEP + 2
  mul c, c, d
  add b, k_now, c
  arg c, SIZES
  andi c, c, 0xffff
  ld.gm.l1.b16 a, b, n, c, d, bk_blocks
  set_flag mte2, mte1, slot

; Scores: Q K' into one of two places in L0C, and from there to memory or UB.
multiply_k:
  mov x, d2
  andi a, flags, DIRECT
  beq a, r0, multiply_k_known
  mov x, d1
multiply_k_known:
  beq x, r0, soften
  shri block, x, 32
  shri slot, x, 6
  andi slot, slot, 3
  mul c, block, bk
  arg n, KEYS
  sub n, n, c
  min n, n, bk
  addi n_blocks, n, 15
  shri n_blocks, n_blocks, 4
  shli n, n_blocks, 4
  andi a, x, 2
  beq a, r0, q_placed
  wait_flag m, mte1, 4
  wait_flag mte2, mte1, 7
  li a, 0
  mov b, k_blocks
  li c, K_CHUNK
place_q:
  min d, b, c
  load2d.l0a.b16 a, a, row_blocks, d, row_blocks
  muli e, row_blocks, 512 * K_CHUNK
  add a, a, e
  sub b, b, d
  bne b, r0, place_q
  set_flag mte1, mte2, 7
q_placed:
  andi h, slot, 1
  wait_flag mte2, mte1, slot
  wait_flag fix, m, h
  mul g, h, p_slot
  shli g, g, 1
  add g, g, l0c_s
  mul a, slot, k_slot
  add a, a, l1_k        ; K's chunk in L1
  li b, 0               ; Q's in L0A
  mov c, k_blocks
multiply_k_chunk:
  li d, K_CHUNK
  min d, d, c
  mul e, turn_l0b, l0b_slot
  wait_flag m, mte1, turn_l0b
  load2d.l0b.b16 e, a, n_blocks, d, bk_blocks
  set_flag mte1, m, turn_l0b
  wait_flag mte1, m, turn_l0b
  shli f, d, 4
  andi row, flags, BF16
  bne row, r0, multiply_k_bf16
  bne b, r0, multiply_k_more
  mad.f16.init g, b, e, rows, f, n
  jmp multiplied_k
multiply_k_more:
  mad.f16 g, b, e, rows, f, n
  jmp multiplied_k
multiply_k_bf16:
  bne b, r0, multiply_k_bf16_more
  mad.bf16.init g, b, e, rows, f, n
  jmp multiplied_k
multiply_k_bf16_more:
  mad.bf16 g, b, e, rows, f, n
multiplied_k:
  set_flag m, mte1, turn_l0b
  addi turn_l0b, turn_l0b, 1
  li e, 3
  bne turn_l0b, e, turned_k
  li turn_l0b, 0
turned_k:
  muli e, bk_blocks, 512 * K_CHUNK
  add a, a, e
  muli e, row_blocks, 512 * K_CHUNK
  add b, b, e
  sub c, c, d
  bne c, r0, multiply_k_chunk
  set_flag mte1, mte2, slot
  andi a, x, 4
  beq a, r0, q_kept
  set_flag m, mte1, 4
q_kept:
  set_flag m, fix, h
  wait_flag m, fix, h
  shri slot, x, 4
  andi slot, slot, 3
  andi a, flags, DIRECT
  bne a, r0, scores_direct
  wait_flag mte2, fix, slot
  shli a, slot, 15
  add a, a, scratch
  mul b, bk, esize
  li c, 4
  beq esize, c, scores_wide
  fixp.gm.f16 a, g, rows, n, b, row_blocks
  jmp scores_out
scores_wide:
  fixp.gm.f32 a, g, rows, n, b, row_blocks
scores_out:
  set_flag fix, m, h
  set_flag fix, mte2, slot
  jmp soften
scores_direct:
  bne estimate, r0, scores_slot_estimate
  wait_flag mte3, fix, slot
  jmp scores_slot
scores_slot_estimate:
  wait_flag v, fix, slot
scores_slot:
  shli a, slot, 15
  li b, 16
  mul c, b, esize
  mul d, c, rows
  shli e, row_blocks, 10
  loop n_blocks, scores_placed
    li f, 2
    bne esize, f, score_f32
    fixp.ub.f16 a, g, rows, b, c, row_blocks
    jmp score_next
score_f32:
    fixp.ub.f32 a, g, rows, b, c, row_blocks
score_next:
    add a, a, d
    add g, g, e
scores_placed:
  set_flag fix, m, h
  set_flag fix, v, slot

; Weights.
soften:
  mov x, d4
  andi a, flags, DIRECT
  beq a, r0, soften_known
  mov x, d2
soften_known:
  beq x, r0, load_v
  shri tile, x, 16
  andi tile, tile, 0xffff
  shri block, x, 32
  shri slot, x, 4
  andi slot, slot, 3
  mul block, block, bk  ; its first key
  arg n, KEYS
  sub n, n, block
  min n, n, bk
  addi n_blocks, n, 15
  shri n_blocks, n_blocks, 4
  shli h, slot, 15      ; the scores
  beq a, r0, fetch
  wait_flag fix, v, slot
  jmp fetched
fetch:
  beq estimate, r0, fetch_slot
  addi a, slot, 2
  wait_flag v, mte2, a
fetch_slot:
  wait_flag fix, mte2, slot
  mov a, h
  add b, h, scratch
  shli c, esize, 4
  mul d, bk, esize
  mul e, c, rows
  loop n_blocks, pieces_fetched
    ld.gm.ub a, b, rows, c, d, c
    add a, a, e
    add b, b, c
pieces_fetched:
  set_flag mte2, fix, slot
  set_flag mte2, v, slot
  wait_flag mte2, v, slot
fetched:
  shri g, x, 16
  andi g, g, 3          ; the tile's turn
  andi a, x, 2
  beq a, r0, scale
.include "attend_tile.s"
  mul c, c, rows
  arg diagonal, DIAGONAL
  add diagonal, diagonal, c
  shli a, g, 10
  addi a, a, MOSTS
  shli b, rows, 2
  beq estimate, r0, clear_sums
  li c, 0xfc00          ; -inf
  v.dup.f16 a, c, b
  jmp scale
clear_sums:
  v.dup.f16 a, r0, b
  shli a, g, 12
  addi a, a, SUMS
  shli b, rows, 3
  v.dup.f32 a, r0, b
scale:
  mul f, n_blocks, rows
  shli f, f, 4          ; elements
  bne estimate, r0, mask
  arg a, SCALE
  andi b, flags, SOFTMAX_F32
  bne b, r0, scale_f32
  shri a, a, 32
  v.muls.f16 h, h, a, f
  jmp mask
scale_f32:
  v.muls.f32 h, h, a, f

; -inf is added to what a row does not see, 16 keys at a time: beyond the last key, behind the diagonal, before the
; window. Each is a piece of a table.
mask:
  mov a, h              ; the piece
  mov b, block          ; its first key
  loop n_blocks, masked
    li c, 0             ; which mask
    li d, 3
    loop d, masks
      bne c, r0, not_causal
      andi e, flags, CAUSAL
      beq e, r0, next_mask
      sub d, diagonal, b ; the last of the 16 keys that row 0 sees
      li e, 15
      bge d, e, next_mask
      sub e, r0, rows
      max d, d, e
      jmp table
not_causal:
      li d, 1
      bne c, d, not_window
      andi e, flags, WINDOW
      beq e, r0, next_mask
      sub d, diagonal, b
      arg e, BEFORE
      sub d, d, e       ; the first that it sees
      add e, d, rows
      addi e, e, -1
      bge r0, e, next_mask
      li e, 16
      min d, d, e
table:
      li e, 16
      sub e, e, d
      muli d, c, TABLE
      add e, e, d
      mul e, e, esize
      arg d, TABLES
      add e, e, d
      addi d, esize, -2
      muli d, d, TABLES_F32 / 2
      add e, e, d
      muli d, esize, 160
      jmp add_mask
not_window:
      arg d, KEYS
      sub d, d, b
      li e, 16
      bge d, e, next_mask
      sub e, e, d
      mul e, e, esize
      arg d, TABLES
      add e, e, d
      addi d, esize, -2
      shli d, d, 5
      add e, e, d
      li d, EDGE
      add e, e, d
      li d, 0
add_mask:
      wait_flag v, mte2, turn_mask
      muli n, turn_mask, MASK_BYTES
      addi n, n, MASK
      shli slot, esize, 4
      ld.gm.ub n, e, rows, slot, d, slot
      addi d, turn_mask, 3
      set_flag mte2, v, d
      wait_flag mte2, v, d
      shli e, rows, 4
      li d, 4
      beq esize, d, add_mask_f32
      v.add.f16 a, a, n, e
      jmp mask_added
add_mask_f32:
      v.add.f32 a, a, n, e
mask_added:
      set_flag v, mte2, turn_mask
      li d, 1
      xor turn_mask, turn_mask, d
next_mask:
      addi c, c, 1
masks:
    muli d, rows, 16
    mul d, d, esize
    add a, a, d
    addi b, b, 16
masked:
  shri slot, x, 4
  andi slot, slot, 3
  shli a, g, 10
  addi a, a, MOSTS
  mul d, n_blocks, rows
  li c, MOST
  beq estimate, r0, weigh
  v.gmax.f16 c, h, f
  v.max.f16 a, a, c, d
  andi e, flags, DIRECT
  bne e, r0, estimated_direct
  addi e, slot, 2
  set_flag v, mte2, e
  jmp estimated
estimated_direct:
  set_flag v, fix, slot
estimated:
  andi e, x, 4
  beq e, r0, load_v
; -m of the tile, in the operands' type. What is infinite becomes finite: rows that see nothing end up as zeros.
  shli b, rows, 1
  shli c, rows, 2
  add d, a, c
  v.max.f16 a, a, d, b
  add d, a, b
  v.max.f16 a, a, d, rows
  wait_flag mte3, v, 0
  li b, NEGATED
  li d, WORK1
  li c, 0x7b53          ; 60000
  v.dup.f16 b, c, rows
  v.min.f16 b, b, a, rows
  li c, 0xfb53
  v.dup.f16 d, c, rows
  v.max.f16 b, b, d, rows
  li c, 0xbc00          ; -1
  v.muls.f16 b, b, c, rows
  andi c, flags, BF16
  beq c, r0, negated
  v.to_f32.f16 d, b, rows
  v.from_f32.bf16 b, d, rows
negated:
  set_flag v, mte3, 6
  wait_flag v, mte3, 6
  shli c, tile, 8
  addi c, c, GM_M
  add c, c, scratch
  li d, 1
  shli e, rows, 1
  st.ub.gm c, b, d, e, e, e
  set_flag mte3, v, 0
  jmp load_v

; Weights, their largest and their sums.
weigh:
  andi b, flags, SOFTMAX_F32
  bne b, r0, weigh_f32
  v.exp.f16 h, h, f
  li b, SUM
  v.gadd.f16 b, h, f
  li e, SUM_WIDE
  v.to_f32.f16 e, b, d
  shli b, g, 12
  addi b, b, SUMS
  v.add.f32 b, b, e, d
  v.gmax.f16 c, h, f
  v.max.f16 a, a, c, d
  andi b, flags, BF16
  beq b, r0, weighed
  addi a, h, SLOT / 2   ; a half at a time through the second half of the slot
  add b, h, f
  shri c, f, 1
  v.to_f32.f16 a, h, c
  v.from_f32.bf16 h, a, c
  v.to_f32.f16 a, b, c
  v.from_f32.bf16 b, a, c
  jmp weighed
weigh_f32:
  v.exp.f32 h, h, f
  li b, SUM
  v.gadd.f32 b, h, f
  shli e, g, 12
  addi e, e, SUMS
  shli n, d, 1
  v.add.f32 e, e, b, n
  andi e, flags, BF16
  mov b, h
  beq e, r0, narrow
  li b, NARROW
narrow:
  v.from_f32.f16 b, h, f
  v.gmax.f16 c, b, f
  v.max.f16 a, a, c, d
  beq e, r0, weighed
  v.from_f32.bf16 h, h, f
weighed:
  set_flag v, mte3, slot
  wait_flag v, mte3, slot
  shli b, f, 1
  andi a, flags, DIRECT
  bne a, r0, weights_direct
  wait_flag mte2, mte3, slot
  shli a, slot, 14
  addi a, a, GM_P
  add a, a, scratch
  li c, 1
  st.ub.gm a, h, c, b, b, b
  set_flag mte3, mte2, slot
  jmp load_v
weights_direct:
  wait_flag mte1, mte3, slot
  mul a, slot, p_slot
  add a, a, l1_p
  st.ub.l1 a, h, b
  set_flag mte3, fix, slot
  set_flag mte3, mte1, slot

; V, and the weights if they went through memory.
load_v:
  bne estimate, r0, hand_down
  mov x, d6
  andi f, flags, DIRECT
  beq f, r0, load_v_known
  mov x, d2
load_v_known:
  beq x, r0, end_rows
  shri tile, x, 16
  andi tile, tile, 0xffff
  shri block, x, 32
  mul block, block, bk
  shri slot, x, 4
  andi slot, slot, 3
  andi a, x, 2
  beq a, r0, values_known
.include "attend_tile.s"
  arg v_now, V
  arg d, V_STEP
  mul d, d, a
  add v_now, v_now, d
  arg d, GROUP
  div d, b, d
  arg e, V_STEP + 1
  mul d, d, e
  add v_now, v_now, d
values_known:
  addi e, slot, 4
  wait_flag mte1, mte2, e
  arg n, KEYS
  sub n, n, block
  min n, n, bk
  mul a, slot, v_slot
  add a, a, l1_v
  arg d, V_STEP + 2
  mul c, block, d
  add b, v_now, c
  arg c, SIZES
  shri c, c, 16
  andi c, c, 0xffff
  ld.gm.l1.b16 a, b, n, c, d, bk_blocks
  bne f, r0, v_loaded
  addi n, n, 15
  shri n, n, 4
  mul n, n, rows
  shli n, n, 5
  wait_flag mte3, mte2, slot
  mul a, slot, p_slot
  add a, a, l1_p
  shli b, slot, 14
  addi b, b, GM_P
  add b, b, scratch
  ld.gm.l1.linear a, b, n
  set_flag mte2, mte3, slot
v_loaded:
  set_flag mte2, mte1, e

; The end of a tile's rows: 1 / sum, log(sum) + m, and O, which is in memory, times 1 / sum in pieces.
end_rows:
  mov x, d9
  andi f, flags, DIRECT
  beq f, r0, end_known
  mov x, d6
end_known:
  andi a, x, 4
  beq a, r0, sum
  shri tile, x, 16
  andi tile, tile, 0xffff
  andi g, tile, 3
  wait_flag v, mte2, 5
  li a, M16
  shli b, tile, 8
  addi b, b, GM_M
  add b, b, scratch
  li c, 1
  shli d, rows, 1
  ld.gm.ub a, b, c, d, d, d
  shli e, g, 12
  addi e, e, SUMS       ; the sums
  andi f, flags, SOFTMAX_F32
  beq f, r0, sums_loaded
  wait_flag mte3, mte2, 5
  li a, SUM_PAIRS
  shli b, g, 10
  addi b, b, GM_PAIRS
  add b, b, scratch
  li c, 8
  li d, 32
  ld.gm.ub a, b, rows, c, c, d
sums_loaded:
  set_flag mte2, v, 7
  wait_flag mte2, v, 7
  beq f, r0, sums_known
  li e, TOTAL
  shli b, rows, 3
  v.gadd.f32 e, a, b
sums_known:
  li a, WORK1
  li b, f32(0.000000000000000000000000000001)
  v.dup.f32 a, b, rows
  v.max.f32 a, a, e, rows
  li c, INVERSE
  li b, f32(1)
  v.dup.f32 c, b, rows
  v.div.f32 c, c, a, rows
  arg h, LOGS
  beq h, r0, no_lse
; log(sum): from its bits as a number, within 0.06; then twice y += 2 (sum - e^y) / (sum + e^y).
  v.to_f32.s32 a, e, rows
  li b, f32(0.00000008262958294867817)
  v.muls.f32 a, a, b, rows
  li b, f32(-88.02969193111305)
  v.adds.f32 a, a, b, rows
  li b, WORK2
  li c, WORK3
  li d, 2
  li f, f32(2)
  loop d, logarithm
    v.exp.f32 b, a, rows
    v.sub.f32 c, e, b, rows
    v.add.f32 b, b, e, rows
    v.div.f32 c, c, b, rows
    v.fmas.f32 a, c, f, rows
logarithm:
  li b, M16
  li c, M32
  andi d, flags, BF16
  bne d, r0, m_bf16
  v.to_f32.f16 c, b, rows
  jmp m_wide
m_bf16:
  v.to_f32.bf16 c, b, rows
m_wide:
  arg b, SCALE          ; - scale * -m
  li d, 0x80000000
  xor b, b, d
  v.fmas.f32 a, c, b, rows
  li b, WORK2           ; a sum of 0 makes -inf
  li c, f32(-0.000000000000000000000000000001)
  v.dup.f32 b, c, rows
  v.div.f32 b, b, e, rows
  wait_flag mte3, v, 1
  li c, LSE
  v.add.f32 c, a, b, rows
  set_flag v, mte3, 7
  wait_flag v, mte3, 7
  mov e, c
.include "attend_tile.s"
  arg d, HEADS
  mul d, d, a
  add b, b, d
  arg d, QUERIES
  mul b, b, d
  mul c, c, rows
  sub d, d, c
  min d, d, rows        ; those that exist
  add b, b, c
  shli b, b, 2
  add h, h, b
  shli d, d, 2
  li a, 1
  st.ub.gm h, e, a, d, d, d
  set_flag mte3, v, 1
no_lse:
  set_flag v, mte2, 5
.include "attend_tile.s"
  mul c, c, rows
  arg d, QUERIES
  sub x, d, c           ; rows that exist, and more
  arg d, OUT
  arg e, OUT_STEP
  mul e, e, a
  add d, d, e
  arg e, OUT_STEP + 1
  mul e, e, b
  add d, d, e
  arg e, OUT_STEP + 2
  mul e, e, c
  add tile, d, e        ; where they go
  wait_flag fix, mte2, 3
  li row, 0
end_piece_row:
  li n, PIECE_ROWS
  sub a, rows, row
  min n, n, a
  li a, INVERSE
  shli b, row, 2
  add a, a, b
  li b, SPREAD
  v.bcast.f32 b, a, n
  li h, FACTOR
  shli a, n, 3
  v.bcast.f32 h, b, a
  li block, 0           ; the column
end_piece:
  addi a, turn_piece, 6
  wait_flag mte3, mte2, a
  muli a, turn_piece, PIECE_BYTES
  addi a, a, PIECE
  shli c, v_blocks, 6   ; O's rows in memory
  mul b, row, c
  add b, b, scratch
  addi b, b, GM_O
  shli d, block, 2
  add b, b, d
  sub d, c, d
  li e, PIECE_COLS * 4
  min d, d, e
  ld.gm.ub a, b, n, d, c, e
  addi b, turn_piece, 5
  set_flag mte2, v, b
  wait_flag mte2, v, b
  shli b, n, 6
  v.mul.f32 a, a, h, b
  li e, 4               ; bytes of an element of out
  andi c, flags, OUT_F16
  beq c, r0, not_f16
  v.from_f32.f16 a, a, b
  li e, 2
not_f16:
  andi c, flags, OUT_BF16
  beq c, r0, not_bf16
  v.from_f32.bf16 a, a, b
  li e, 2
not_bf16:
  addi b, turn_piece, 3
  set_flag v, mte3, b
  wait_flag v, mte3, b
  sub b, x, row
  max b, b, r0
  min b, b, n           ; rows
  arg c, SIZES
  shri c, c, 16
  andi c, c, 0xffff
  sub c, c, block
  li d, PIECE_COLS
  min c, c, d
  mul c, c, e           ; bytes of each
  mul d, block, e
  add d, d, tile
  arg f, OUT_STEP + 2
  mul g, row, f
  add d, d, g
  shli e, e, 6
  st.ub.gm d, a, b, c, f, e
  addi a, turn_piece, 6
  set_flag mte3, mte2, a
  li a, 1
  xor turn_piece, turn_piece, a
  addi block, block, PIECE_COLS
  arg a, SIZES
  shri a, a, 16
  andi a, a, 0xffff
  blt block, a, end_piece
  addi row, row, PIECE_ROWS
  blt row, rows, end_piece_row
  set_flag mte2, fix, 3

; A tile's sums and its largest weight.
sum:
  mov x, d8
  andi f, flags, DIRECT
  beq f, r0, sum_known
  mov x, d5
sum_known:
  andi a, x, 4
  beq a, r0, multiply_v
  shri tile, x, 16
  andi tile, tile, 0xffff
  andi g, tile, 3
.include "attend_tile.s"
  mul c, c, rows
  arg h, QUERIES
  sub h, h, c
  min h, h, rows        ; rows that exist
  shli a, g, 10
  addi a, a, MOSTS
  shli c, rows, 1
  shli d, rows, 2
  add b, a, d
  v.max.f16 a, a, b, c
  add b, a, c
  v.max.f16 a, a, b, rows
  shli b, tile, 5
  addi b, b, CHECK
  v.rmax.f16 b, a, h
  shli a, g, 12
  addi a, a, SUMS
  shli e, rows, 3
  andi f, flags, SOFTMAX_F32
  bne f, r0, sum_pairs
  add b, a, e
  v.add.f32 a, a, b, c
  add b, a, d
  v.add.f32 a, a, b, rows
  jmp multiply_v
sum_pairs:
  shli f, rows, 4
  add b, a, f
  v.add.f32 a, a, b, d
  add b, a, e
  v.add.f32 a, a, b, c
  set_flag v, mte3, 5
  wait_flag v, mte3, 5
  shli b, g, 10
  addi b, b, GM_PAIRS
  add b, b, scratch
  li c, 1
  st.ub.gm b, a, c, e, e, e
  set_flag mte3, mte2, 5

; O += P V.
multiply_v:
  mov x, d7
  andi f, flags, DIRECT
  beq f, r0, multiply_v_known
  mov x, d4
multiply_v_known:
  beq x, r0, hand_down
  shri block, x, 32
  mul block, block, bk
  shri slot, x, 4
  andi slot, slot, 3
  arg n, KEYS
  sub n, n, block
  min n, n, bk
  addi n_blocks, n, 15
  shri n_blocks, n_blocks, 4
  shli n, n_blocks, 4
  addi a, slot, 4
  wait_flag mte2, mte1, a
  beq f, r0, p_ready
  wait_flag mte3, mte1, slot
p_ready:
  wait_flag m, mte1, 3
  mul a, slot, p_slot
  add a, a, l1_p
  load2d.l0a.b16 l1_k, a, row_blocks, n_blocks, row_blocks
  mul a, slot, v_slot
  add a, a, l1_v        ; V's chunk in L1
  li b, 0               ; O's in L0C
  mov c, v_blocks
  andi g, x, 2
  beq g, r0, multiply_v_chunk
  wait_flag fix, m, 2
multiply_v_chunk:
  li d, N_CHUNK
  min d, d, c
  mul e, turn_l0b, l0b_slot
  wait_flag m, mte1, turn_l0b
  load2d.l0b.b16.t e, a, d, n_blocks, bk_blocks
  set_flag mte1, m, turn_l0b
  wait_flag mte1, m, turn_l0b
  shli h, d, 4
  andi block, flags, BF16
  bne block, r0, multiply_v_bf16
  beq g, r0, multiply_v_more
  mad.f16.init b, l1_k, e, rows, n, h
  jmp multiplied_v
multiply_v_more:
  mad.f16 b, l1_k, e, rows, n, h
  jmp multiplied_v
multiply_v_bf16:
  beq g, r0, multiply_v_bf16_more
  mad.bf16.init b, l1_k, e, rows, n, h
  jmp multiplied_v
multiply_v_bf16_more:
  mad.bf16 b, l1_k, e, rows, n, h
multiplied_v:
  set_flag m, mte1, turn_l0b
  addi turn_l0b, turn_l0b, 1
  li e, 3
  bne turn_l0b, e, turned_v
  li turn_l0b, 0
turned_v:
  muli e, bk_blocks, 512 * N_CHUNK
  add a, a, e
  muli e, row_blocks, 1024 * N_CHUNK
  add b, b, e
  sub c, c, d
  bne c, r0, multiply_v_chunk
  set_flag m, mte1, 3
  addi a, slot, 4
  set_flag mte1, mte2, a
  beq f, r0, p_used
  set_flag mte1, mte3, slot
p_used:
  andi a, x, 4
  beq a, r0, hand_down
  set_flag m, fix, 2
  wait_flag m, fix, 2
  wait_flag mte2, fix, 3
  addi a, scratch, GM_O
  shli b, v_blocks, 4
  shli c, v_blocks, 6
  fixp.gm.f32 a, r0, rows, b, c, row_blocks
  set_flag fix, m, 2
  set_flag fix, mte2, 3

hand_down:
  mov d9, d8
  mov d8, d7
  mov d7, d6
  mov d6, d5
  mov d5, d4
  mov d4, d3
  mov d3, d2
  mov d2, d1
  mov d1, d0
  jmp round

done:
  halt
