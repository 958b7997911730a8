!> Kinds of all numbers in GCAS.
module gcas_kinds
    use, intrinsic :: iso_fortran_env, only: int32, int64, real32, real64
    implicit none (type, external)
    private

    public :: dp, sp, i4, i8

    integer, parameter :: dp = real64 !! double precision: states, geometry, sums
    integer, parameter :: sp = real32 !! single precision: where measurements justify it
    integer, parameter :: i4 = int32  !! indices and counts
    integer, parameter :: i8 = int64  !! counts of pairs
end module gcas_kinds
