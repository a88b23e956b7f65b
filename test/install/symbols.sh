#!/bin/sh
# Only tsr_* and the names of the BLAS may leave the library. usage: symbols.sh LIBTESSERA
set -eu
blas='((scipy_)?(cblas_)?[sd]gemm(_|64_|_64_|_64)?|(cblas_)?xerbla_?|RowMajorStrg|CBLAS_CallFromC)'
names=$(nm -D --defined-only "$1" | awk '{print $3}')
strangers=$(echo "$names" | grep -vE "^(tsr_[a-z_]+|$blas)\$" || true)
[ -z "$strangers" ] || { echo "these names leave the library: $strangers"; exit 1; }
for name in tsr_gemm sgemm_ dgemm_ cblas_sgemm cblas_dgemm sgemm_64_ cblas_dgemm64_ scipy_cblas_sgemm64_ scipy_dgemm_ \
  xerbla_ cblas_xerbla RowMajorStrg CBLAS_CallFromC; do
  echo "$names" | grep -qx "$name" || { echo "$name does not leave the library"; exit 1; }
done
echo "$(echo "$names" | wc -l) names"
