; ATTEND of kernel.h: rows of queries against runs of keys, out = softmax(scale Q K') V, without the scores ever being
; stored as a whole. A launch takes some tiles of R rows; a tile goes through its keys in blocks of `bk`.
;
; A row's weights are exp(scale (s - m)) with one m a row, so that O and the sums need no rescaling: O stays in L0C for
; all of a tile. m is subtracted by the cube: Q has one more column, -m, and K one more, 1. Which m:
;   estimate   the largest score of the row in a sample of the tile's keys, rounded to 16 bits
;   main       everything by that m; the largest weight of each row is kept
;   again      for tiles where a weight grew beyond LIMIT: the estimate over all keys, and main once more
; The scores leave L0C as f16 ("softmax=f16": rounded relative to m, which costs weights e^-x about x 2^-12) or as f32.
;
; Estimate and main are one loop, a pipeline over the blocks of all tiles: in a round, K of one block is loaded while
; the one before is multiplied, and so on. How many rounds later, through memory / where routes L0C - UB - L1 exist:
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
.const ESTIMATE = 25        ; blocks of the estimate: 4, 0: all
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

.const LIMIT_F16 = 0x6800   ; 2048, as f16: sums of 16 must stay below 65504
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
.reg backward = r18   ; in main; in an estimate:
.reg tile_end = r18
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
  jmp stages
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
  mov tile_end, block_end
  add a, first_block, blocks_most
  min block_end, block_end, a
begun_short: ; a tile takes two rounds at least: what is kept of four tiles must last until their ends
  addi a, first_block, 1
  bne a, block_end, take
  li bubble, 1
take:
  mov b, block_next
  beq estimate, r0, take_main
  beq blocks_most, r0, taken
  sub a, tile_end, first_block
  bge blocks_most, a, taken
  sub a, block_next, first_block
  beq a, r0, taken      ; the first block of the tile, the last, the last but one, the one in the middle
  sub b, tile_end, a
  li c, 3
  bne a, c, taken
  add b, first_block, tile_end
  shri b, b, 1
  jmp taken
take_main:
  beq backward, r0, taken
  add b, block_end, first_block
  addi b, b, -1
  sub b, b, block_next
taken:
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
  bne turn3, a, stages
  li turn3, 0

stages:
.include "attend_keys.s"
.include "attend_scores.s"
.include "attend_weights.s"
.include "attend_load.s"
.include "attend_out.s"
.include "attend_sums.s"
.include "attend_values.s"

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
