#ifndef TESSERA_MEASURE_H
#define TESSERA_MEASURE_H

/* Measures the FMA peak, the read bandwidth and what GEMM makes of them, and prints it. Gives the exit status. */
int measure_print(void);

#endif
