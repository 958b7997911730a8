!> Work space that starts on a cache line, so that no vector of a block straddles two.
module gcas_transport_alignment
    use, intrinsic :: iso_c_binding, only: c_intptr_t, c_loc
    use gcas_kinds, only: dp, sp
    implicit none (type, external)
    private

    public :: line_bytes, first_aligned

    integer, parameter :: line_bytes = 64 !! of a cache line; allocate so many elements more than needed

    !> First element of a work array that starts on a cache line.
    interface first_aligned
        module procedure first_aligned_double, first_aligned_single
    end interface first_aligned

contains

    !> Double precision.
    function first_aligned_double(work) result(first)
        real(dp), intent(in), target, contiguous :: work(:) !! with at least `line_bytes` elements to spare
        integer :: first                                    !! 1 … 8

        first = 1 + int(modulo(-transfer(c_loc(work), 0_c_intptr_t), int(line_bytes, c_intptr_t)))/8
    end function first_aligned_double

    !> Single precision.
    function first_aligned_single(work) result(first)
        real(sp), intent(in), target, contiguous :: work(:) !! with at least `line_bytes` elements to spare
        integer :: first                                    !! 1 … 16

        first = 1 + int(modulo(-transfer(c_loc(work), 0_c_intptr_t), int(line_bytes, c_intptr_t)))/4
    end function first_aligned_single
end module gcas_transport_alignment
