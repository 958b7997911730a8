!> Work space that starts on a cache line, so that no vector of a block straddles two.
module gcas_transport_alignment
    use, intrinsic :: iso_c_binding, only: c_intptr_t, c_loc, c_ptr, c_size_t
    use gcas_kinds, only: dp, sp
    implicit none (type, external)
    private

    public :: line_bytes, first_aligned, prefetch

    integer, parameter :: line_bytes = 64 !! of a cache line; allocate so many elements more than needed

    !> First element of a work array that starts on a cache line.
    interface first_aligned
        module procedure first_aligned_double, first_aligned_single
    end interface first_aligned

    !> Have a part of an array brought towards the processor before it is needed.
    interface prefetch
        module procedure prefetch_double, prefetch_single
    end interface prefetch

    interface
        subroutine gcas_prefetch(address, bytes) bind(c)
            import :: c_ptr, c_size_t
            type(c_ptr), value :: address
            integer(c_size_t), value :: bytes
        end subroutine gcas_prefetch
    end interface

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

    !> Double precision.
    subroutine prefetch_double(values)
        real(dp), intent(in), target, contiguous :: values(:, :)

        call gcas_prefetch(c_loc(values), size(values, kind=c_size_t)*8_c_size_t)
    end subroutine prefetch_double

    !> Single precision.
    subroutine prefetch_single(values)
        real(sp), intent(in), target, contiguous :: values(:, :)

        call gcas_prefetch(c_loc(values), size(values, kind=c_size_t)*4_c_size_t)
    end subroutine prefetch_single
end module gcas_transport_alignment
