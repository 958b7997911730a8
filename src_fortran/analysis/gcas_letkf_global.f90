!> Without localization all targets share one transform: it is formed once, as a matrix of members × members.
module gcas_letkf_global
    use gcas_ensrf_blocks, only: block
    use gcas_ensrf_kernels, only: lane_products, n_batch, n_lanes
    use gcas_ensrf_sources, only: source_set
    use gcas_kinds, only: dp
    use gcas_krylov, only: apply_functions, krylov_space
    use gcas_letkf_blocks, only: member_space, scaled_sources, steps_tolerance
    use gcas_letkf_kernels, only: n_rows, panels_of
    implicit none (type, external)
    private

    public :: common_transform, make_common_transform

    type :: common_transform
        integer :: n_members = 0
        real(dp), allocatable :: root(:, :)  !! (I + S Sᵀ)^(-1/2); columns 0 and beyond N are zero (n_members, 0:n)
        real(dp), allocatable :: gain(:)     !! (I + S Sᵀ)^(-1) S d (n_members)
    contains
        procedure :: apply
    end type common_transform

contains

    !> Form the transform by the columns of the unit matrix.
    subroutine make_common_transform(sources, scaled, n_threads, self)
        type(source_set), intent(in) :: sources
        type(scaled_sources), intent(in) :: scaled
        integer, intent(in) :: n_threads
        type(common_transform), intent(out) :: self
        real(dp), allocatable :: departure(:), matrix(:), panels(:), unit(:)
        type(krylov_space) :: spaces(1)
        integer :: i, n, n_padded

        n = sources%n_members
        n_padded = n_rows*panels_of(n)
        self%n_members = n
        allocate (self%root(n, 0:n + n_batch), self%gain(n), departure(n), matrix(n_padded**2), panels(0))
        self%root = 0
        call member_space(sources, scaled, sources%n, [(i, i=1, sources%n)], scaled%root, panels, matrix, departure)

        !$omp parallel num_threads(n_threads) default(none) private(spaces, unit) &
        !$omp     shared(n, n_padded, sources, scaled, matrix, departure, self)
        allocate (unit(n))
        call spaces(1)%reserve(n_padded)
        !$omp do schedule(dynamic, 1)
        do i = 1, n
            unit = 0
            unit(i) = 1
            call spaces(1)%begin(n, n_padded, unit)
            call apply_functions(scaled%poles, n, n_padded, matrix, 1, .false., &
                                 [steps_tolerance(sources%single, 1.0_dp, 1.0_dp, departure)], spaces)
            call spaces(1)%combine(n, n_padded, departure, self%root(:, i), self%gain(i))
        end do
        !$omp end do
        !$omp end parallel
    end subroutine make_common_transform

    !> Transform a block of targets.
    subroutine apply(self, work)
        class(common_transform), intent(in) :: self
        type(block), intent(inout) :: work
        real(dp) :: products(n_lanes, n_batch), transformed(n_lanes, self%n_members)
        integer :: first, i, last

        if (work%n_list == 0) return
        work%mean = work%mean + matmul(work%values, self%gain)
        do first = 1, self%n_members, n_batch
            last = min(first + n_batch - 1, self%n_members)
            call lane_products(self%n_members, [(i, i=first, first + n_batch - 1)], work%values, self%root, products)
            transformed(:, first:last) = products(:, 1:last - first + 1)
        end do
        work%values = transformed
    end subroutine apply
end module gcas_letkf_global
