/* The logarithm of a row's sum. */
#ifndef TSR_ATTENTION_LOG_H
#define TSR_ATTENTION_LOG_H

/* max ln(2) + ln(sum) in f64, rounded once; -inf for sum == 0. Error below 0.51 ULP. The same on every machine, which a
 * library's log is not. */
float tsr_attention_lse(float max, float sum);

#endif
