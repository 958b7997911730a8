!> Whole transforms, as matrices of members × members: for all targets at once, or for places between which they are interpolated.
module gcas_letkf_transform
    use gcas_ensrf_kernels, only: lane_products, n_batch, n_lanes
    use gcas_ensrf_sources, only: source_set
    use gcas_kinds, only: dp
    use gcas_letkf_blocks, only: member_matrix, observation_matrix, scaled_sources, workspace
    use gcas_letkf_kernels, only: n_rows, panels_of
    use gcas_matrix_root, only: matrix_root, subtract_product
    use gcas_target_blocks, only: block
    implicit none (type, external)
    private

    public :: transform, make_transform, apply_transforms

    type :: transform
        logical :: acts = .false.            !! there are observations; else it is the unit matrix
        real(dp), allocatable :: root(:, :)  !! (I + S Sᵀ)^(-1/2); columns 0 and beyond N are zero (n_members, 0:n)
        real(dp), allocatable :: gain(:)     !! (I + S Sᵀ)^(-1) S d (n_members)
    end type transform

contains

    !> The transform of the observations that are chosen in `space`. Up to N of them are solved for in their own space.
    subroutine make_transform(sources, scaled, list, space, function_of, self)
        type(source_set), intent(in) :: sources
        type(scaled_sources), intent(in) :: scaled
        integer, intent(in) :: list(:)                !! the observations among which they are chosen
        type(workspace), intent(inout) :: space
        type(matrix_root), intent(inout) :: function_of
        type(transform), intent(inout) :: self
        integer :: i, n, p

        n = sources%n_members
        p = space%n_local
        self%acts = p > 0
        if (.not. self%acts) return
        if (.not. allocated(self%root)) allocate (self%root(n, 0:n + n_batch), self%gain(n))
        self%root = 0
        space%gram_of_block = .false.
        if (p <= n) then
            call observation_matrix(sources, scaled, list, space)
            call function_of%make(scaled%poles, p, n_rows*panels_of(p), space%matrix, .true., space%departure)
            call from_observations(sources, list(space%chosen(1:p)), space, function_of%values, self)
        else
            call member_matrix(sources, scaled, list, space)
            call function_of%make(scaled%poles, n, n_rows*panels_of(n), space%matrix, .false., space%departure)
            self%root(:, 1:n) = function_of%values
            self%gain = space%departure(1:n)
        end if
        ! Perturbations have no mean, but its rounding would be left undamped.
        do i = 1, n
            self%root(i, 1:n) = self%root(i, 1:n) - sum(self%root(i, 1:n))/n
        end do
    end subroutine make_transform

    !> I - S h(SᵀS) Sᵀ and S (I + SᵀS)^(-1) d.
    subroutine from_observations(sources, numbers, space, h, self)
        type(source_set), intent(in) :: sources
        integer, intent(in) :: numbers(:)             !! the observations (p)
        type(workspace), intent(in) :: space
        real(dp), intent(in) :: h(:, :)               !! (p, p)
        type(transform), intent(inout) :: self
        real(dp) :: scaled(sources%n_members, size(numbers)), turned(sources%n_members, size(numbers))
        integer :: i, j, n

        n = sources%n_members
        self%gain = 0
        do j = 1, size(numbers)
            scaled(:, j) = space%scale(j)*sources%perturbation(:, numbers(j))
            self%gain = self%gain + space%departure(j)*scaled(:, j)
        end do
        turned = 0
        do j = 1, size(numbers)
            do i = 1, size(numbers)
                turned(:, j) = turned(:, j) + h(i, j)*scaled(:, i)
            end do
        end do
        do i = 1, n
            self%root(i, i) = 1
        end do
        call subtract_product(n, size(numbers), turned, scaled, self%root(:, 1:n))
    end subroutine from_observations

    !> Apply a mean of transforms to a block of targets, each lane with its own weights.
    pure subroutine apply_transforms(transforms, weight, work)
        type(transform), intent(in) :: transforms(:, :)
        real(dp), intent(in) :: weight(:, :, :)       !! (n_lanes, columns and rows of `transforms`)
        type(block), intent(inout) :: work
        real(dp) :: mean(n_lanes), products(n_lanes, n_batch), transformed(n_lanes, size(work%values, 2))
        integer :: column, first, i, last, n, row

        n = size(work%values, 2)
        transformed = 0
        mean = work%mean
        do row = 1, size(transforms, 2)
            do column = 1, size(transforms, 1)
                if (.not. any(weight(:, column, row) > 0.0_dp)) cycle
                associate (each => transforms(column, row), share => weight(:, column, row))
                    if (.not. each%acts) then
                        do i = 1, n
                            transformed(:, i) = transformed(:, i) + share*work%values(:, i)
                        end do
                        cycle
                    end if
                    do i = 1, n
                        mean = mean + each%gain(i)*share*work%values(:, i)
                    end do
                    do first = 1, n, n_batch
                        last = min(first + n_batch - 1, n)
                        call lane_products(n, [first, first + 1, first + 2, first + 3], work%values, each%root, products)
                        do i = first, last
                            transformed(:, i) = transformed(:, i) + share*products(:, i - first + 1)
                        end do
                    end do
                end associate
            end do
        end do
        work%mean = mean
        work%values = transformed
    end subroutine apply_transforms
end module gcas_letkf_transform
