!> Without localization all targets share one transform: it is formed once, as a matrix of members × members.
module gcas_letkf_global
    use gcas_ensrf_blocks, only: block
    use gcas_ensrf_kernels, only: lane_products, n_batch, n_lanes
    use gcas_ensrf_sources, only: source_set
    use gcas_kinds, only: dp
    use gcas_krylov, only: apply_functions, krylov_space
    use gcas_letkf_blocks, only: is_few, member_matrix, observation_matrix, reserve_workspace, scaled_sources, steps_tolerance, &
        workspace
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

    !> Form the transform column by column.
    subroutine make_common_transform(sources, scaled, n_threads, self)
        type(source_set), intent(in) :: sources
        type(scaled_sources), intent(in) :: scaled
        integer, intent(in) :: n_threads
        type(common_transform), intent(out) :: self
        integer :: i, n
        type(workspace) :: space

        n = sources%n_members
        self%n_members = n
        allocate (self%root(n, 0:n + n_batch), self%gain(n))
        ! Columns of the unit matrix without their means: perturbations have none, and its rounding would be left undamped.
        self%root = 0
        self%root(:, 1:n) = -1.0_dp/n
        self%gain = 0
        do i = 1, n
            self%root(i, i) = 1.0_dp - 1.0_dp/n
        end do
        if (sources%n == 0) return
        call reserve_workspace(sources, space)
        space%n_local = sources%n
        space%chosen = [(i, i=1, sources%n)]
        space%scale = scaled%root
        if (is_few(sources%n, n)) then
            call observation_matrix(sources, scaled, space%chosen, space)
            call from_observations(sources, scaled, n_threads, space, self)
        else
            call member_matrix(sources, scaled, space%chosen, space)
            call from_members(sources, scaled, n_threads, space, self)
        end if
    end subroutine make_common_transform

    !> I - S h(SᵀS) Sᵀ and S (I + SᵀS)^(-1) d, column by column.
    subroutine from_observations(sources, scaled, n_threads, space, self)
        type(source_set), intent(in) :: sources
        type(scaled_sources), intent(in) :: scaled
        integer, intent(in) :: n_threads
        type(workspace), intent(in) :: space
        type(common_transform), intent(inout) :: self
        real(dp), allocatable :: start(:)
        type(krylov_space) :: spaces(1)
        integer :: i, j, p, p_padded

        p = space%n_local
        p_padded = n_rows*panels_of(p)
        !$omp parallel num_threads(n_threads) default(none) private(j, spaces, start) &
        !$omp     shared(p, p_padded, sources, scaled, space, self)
        call spaces(1)%reserve(p_padded)
        !$omp do schedule(dynamic, 1)
        do i = 1, self%n_members
            start = space%scale*sources%perturbation(i, 1:p)
            call spaces(1)%begin(p, p_padded, start)
            call apply_functions(scaled%poles, p, p_padded, space%matrix, 1, .true., &
                                 [steps_tolerance(sources%single, 1.0_dp, spaces(1)%start, space%departure(1:p))], spaces)
            call spaces(1)%combine(p, p_padded, space%departure, start, self%gain(i))
            do j = 1, p
                self%root(:, i) = self%root(:, i) - start(j)*space%scale(j)*sources%perturbation(:, j)
            end do
        end do
        !$omp end do
        !$omp end parallel
    end subroutine from_observations

    !> (I + S Sᵀ)^(-1/2) and (I + S Sᵀ)^(-1) S d, column by column.
    subroutine from_members(sources, scaled, n_threads, space, self)
        type(source_set), intent(in) :: sources
        type(scaled_sources), intent(in) :: scaled
        integer, intent(in) :: n_threads
        type(workspace), intent(in) :: space
        type(common_transform), intent(inout) :: self
        real(dp), allocatable :: start(:)
        type(krylov_space) :: spaces(1)
        integer :: i, n, n_padded

        n = self%n_members
        n_padded = n_rows*panels_of(n)
        !$omp parallel num_threads(n_threads) default(none) private(spaces, start) &
        !$omp     shared(n, n_padded, sources, scaled, space, self)
        call spaces(1)%reserve(n_padded)
        !$omp do schedule(dynamic, 1)
        do i = 1, n
            start = self%root(:, i)
            call spaces(1)%begin(n, n_padded, start)
            call apply_functions(scaled%poles, n, n_padded, space%matrix, 1, .false., &
                                 [steps_tolerance(sources%single, 1.0_dp, 1.0_dp, space%departure(1:n))], spaces)
            call spaces(1)%combine(n, n_padded, space%departure, self%root(:, i), self%gain(i))
        end do
        !$omp end do
        !$omp end parallel
    end subroutine from_members

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
