!> The innermost loops of the EnSRF: few, small, and free of decisions.
!>
!> A block holds `n_lanes` parameters side by side, `x(n_lanes, n_members)`: every loop over lanes is one or two vector
!> instructions wide, and every sum over members runs in the members' order, lane by lane. So the result of a lane
!> depends neither on the width of the vectors nor on the number of threads.
!> Observations ("sources") are used in batches of `n_batch`: the products of a batch with the block, the
!> correction of these products for what earlier members of the batch have changed (by their Gram matrix), and one
!> common subtraction. That is the same algebra as one observation after the other, at the rate of a matrix product.
module gcas_ensrf_kernels
    use gcas_kinds, only: dp, sp
    implicit none (type, external)
    private

    public :: n_lanes, n_batch, n_test
    public :: lane_products, lane_products_single, lane_correlations, lane_subtract, lane_subtract_single
    public :: lane_step, lane_step_single
    public :: lane_gains, batch_gram, replay_column

    integer, parameter :: n_lanes = 16 !! parameters of a block
    integer, parameter :: n_batch = 4  !! observations of a batch: more would make their Gram matrix dear
    integer, parameter :: n_test = 8   !! observations tested together
    integer, parameter :: half = n_lanes/2

contains

    !> Products of a block's perturbations with those of a batch. Both halves of the block run together, so that eight
    !> sums are under way at a time.
    pure subroutine lane_products(n_members, batch, x, sources, products)
        integer, intent(in) :: n_members                   !! members
        integer, intent(in) :: batch(n_batch)              !! columns of `sources`
        real(dp), intent(in) :: x(n_lanes, n_members)      !! perturbations of the block
        real(dp), intent(in), contiguous :: sources(:, 0:) !! perturbations of the sources (n_members, 0:n)
        real(dp), intent(out) :: products(n_lanes, n_batch)
        real(dp) :: c1, c2, c3, c4, d1, d2, d3, d4, u, v
        integer :: i1, i2, i3, i4, lane, m

        ! Known to run at least once, the inner loop lets the outer one be vectorised: without this line the compiler
        ! takes the sums over members apart instead, at a fifth of the rate.
        if (n_members < 1) return
        i1 = batch(1); i2 = batch(2); i3 = batch(3); i4 = batch(4)
        !$omp simd private(c1, c2, c3, c4, d1, d2, d3, d4, u, v, m)
        do lane = 1, half
            c1 = 0; c2 = 0; c3 = 0; c4 = 0
            d1 = 0; d2 = 0; d3 = 0; d4 = 0
            do m = 1, n_members
                u = x(lane, m)
                v = x(lane + half, m)
                c1 = c1 + u*sources(m, i1)
                d1 = d1 + v*sources(m, i1)
                c2 = c2 + u*sources(m, i2)
                d2 = d2 + v*sources(m, i2)
                c3 = c3 + u*sources(m, i3)
                d3 = d3 + v*sources(m, i3)
                c4 = c4 + u*sources(m, i4)
                d4 = d4 + v*sources(m, i4)
            end do
            products(lane, 1) = c1; products(lane, 2) = c2; products(lane, 3) = c3; products(lane, 4) = c4
            products(lane + half, 1) = d1; products(lane + half, 2) = d2
            products(lane + half, 3) = d3; products(lane + half, 4) = d4
        end do
    end subroutine lane_products

    !> Products of a block's perturbations with those of a batch, in single precision.
    pure subroutine lane_products_single(n_members, batch, x, sources, products)
        integer, intent(in) :: n_members                   !! members
        integer, intent(in) :: batch(n_batch)              !! columns of `sources`
        real(sp), intent(in) :: x(n_lanes, n_members)      !! perturbations of the block
        real(sp), intent(in), contiguous :: sources(:, 0:) !! perturbations of the sources (n_members, 0:n)
        real(sp), intent(out) :: products(n_lanes, n_batch)
        real(sp) :: c1, c2, c3, c4, value
        integer :: i1, i2, i3, i4, lane, m

        if (n_members < 1) return
        i1 = batch(1); i2 = batch(2); i3 = batch(3); i4 = batch(4)
        !$omp simd private(c1, c2, c3, c4, value, m)
        do lane = 1, n_lanes
            c1 = 0; c2 = 0; c3 = 0; c4 = 0
            do m = 1, n_members
                value = x(lane, m)
                c1 = c1 + value*sources(m, i1); c2 = c2 + value*sources(m, i2)
                c3 = c3 + value*sources(m, i3); c4 = c4 + value*sources(m, i4)
            end do
            products(lane, 1) = c1; products(lane, 2) = c2; products(lane, 3) = c3; products(lane, 4) = c4
        end do
    end subroutine lane_products_single

    !> Correlations with eight sources in single precision: for tests of significance that are not close to the critical value.
    pure subroutine lane_correlations(n_members, batch, x, sources, products)
        integer, intent(in) :: n_members                   !! members
        integer, intent(in) :: batch(n_test)               !! columns of `sources`
        real(sp), intent(in) :: x(n_lanes, n_members)      !! perturbations of the block
        real(sp), intent(in), contiguous :: sources(:, 0:) !! perturbations of the sources (n_members, 0:n)
        real(sp), intent(out) :: products(n_lanes, n_test)
        real(sp) :: c1, c2, c3, c4, c5, c6, c7, c8, value
        integer :: i1, i2, i3, i4, i5, i6, i7, i8, lane, m

        if (n_members < 1) return
        i1 = batch(1); i2 = batch(2); i3 = batch(3); i4 = batch(4)
        i5 = batch(5); i6 = batch(6); i7 = batch(7); i8 = batch(8)
        !$omp simd private(c1, c2, c3, c4, c5, c6, c7, c8, value, m)
        do lane = 1, n_lanes
            c1 = 0; c2 = 0; c3 = 0; c4 = 0; c5 = 0; c6 = 0; c7 = 0; c8 = 0
            do m = 1, n_members
                value = x(lane, m)
                c1 = c1 + value*sources(m, i1); c2 = c2 + value*sources(m, i2)
                c3 = c3 + value*sources(m, i3); c4 = c4 + value*sources(m, i4)
                c5 = c5 + value*sources(m, i5); c6 = c6 + value*sources(m, i6)
                c7 = c7 + value*sources(m, i7); c8 = c8 + value*sources(m, i8)
            end do
            products(lane, 1) = c1; products(lane, 2) = c2; products(lane, 3) = c3; products(lane, 4) = c4
            products(lane, 5) = c5; products(lane, 6) = c6; products(lane, 7) = c7; products(lane, 8) = c8
        end do
    end subroutine lane_correlations

    !> Take multiples of the sources of a batch off a block's perturbations.
    pure subroutine lane_subtract(n_members, batch, factors, sources, x)
        integer, intent(in) :: n_members                   !! members
        integer, intent(in) :: batch(n_batch)              !! columns of `sources`
        real(dp), intent(in) :: factors(n_lanes, n_batch)  !! multiples
        real(dp), intent(in), contiguous :: sources(:, 0:) !! perturbations of the sources (n_members, 0:n)
        real(dp), intent(inout) :: x(n_lanes, n_members)   !! perturbations of the block
        real(dp) :: w1, w2, w3, w4
        integer :: i1, i2, i3, i4, lane, m

        if (n_members < 1) return
        i1 = batch(1); i2 = batch(2); i3 = batch(3); i4 = batch(4)
        !$omp simd private(w1, w2, w3, w4, m)
        do lane = 1, n_lanes
            w1 = factors(lane, 1); w2 = factors(lane, 2); w3 = factors(lane, 3); w4 = factors(lane, 4)
            do m = 1, n_members
                x(lane, m) = x(lane, m) - w1*sources(m, i1) - w2*sources(m, i2) - w3*sources(m, i3) - w4*sources(m, i4)
            end do
        end do
    end subroutine lane_subtract

    !> Take multiples of the sources of a batch off a block's perturbations, in single precision.
    pure subroutine lane_subtract_single(n_members, batch, factors, sources, x)
        integer, intent(in) :: n_members                   !! members
        integer, intent(in) :: batch(n_batch)              !! columns of `sources`
        real(sp), intent(in) :: factors(n_lanes, n_batch)  !! multiples
        real(sp), intent(in), contiguous :: sources(:, 0:) !! perturbations of the sources (n_members, 0:n)
        real(sp), intent(inout) :: x(n_lanes, n_members)   !! perturbations of the block
        real(sp) :: w1, w2, w3, w4
        integer :: i1, i2, i3, i4, lane, m

        if (n_members < 1) return
        i1 = batch(1); i2 = batch(2); i3 = batch(3); i4 = batch(4)
        !$omp simd private(w1, w2, w3, w4, m)
        do lane = 1, n_lanes
            w1 = factors(lane, 1); w2 = factors(lane, 2); w3 = factors(lane, 3); w4 = factors(lane, 4)
            do m = 1, n_members
                x(lane, m) = x(lane, m) - w1*sources(m, i1) - w2*sources(m, i2) - w3*sources(m, i3) - w4*sources(m, i4)
            end do
        end do
    end subroutine lane_subtract_single

    !> `lane_subtract` for one batch and `lane_products` for the next in one pass over the block.
    pure subroutine lane_step(n_members, batch, factors, next, sources, x, products)
        integer, intent(in) :: n_members                   !! members
        integer, intent(in) :: batch(n_batch)              !! columns of `sources` to take off
        real(dp), intent(in) :: factors(n_lanes, n_batch)  !! their multiples
        integer, intent(in) :: next(n_batch)               !! columns of `sources` of the next batch
        real(dp), intent(in), contiguous :: sources(:, 0:) !! perturbations of the sources (n_members, 0:n)
        real(dp), intent(inout) :: x(n_lanes, n_members)   !! perturbations of the block
        real(dp), intent(out) :: products(n_lanes, n_batch) !! of the next batch with the block
        real(dp) :: a1, a2, a3, a4, b1, b2, b3, b4, c1, c2, c3, c4, d1, d2, d3, d4, u, v
        integer :: i1, i2, i3, i4, j1, j2, j3, j4, lane, m

        if (n_members < 1) return
        i1 = batch(1); i2 = batch(2); i3 = batch(3); i4 = batch(4)
        j1 = next(1); j2 = next(2); j3 = next(3); j4 = next(4)
        !$omp simd private(a1, a2, a3, a4, b1, b2, b3, b4, c1, c2, c3, c4, d1, d2, d3, d4, u, v, m)
        do lane = 1, half
            a1 = factors(lane, 1); a2 = factors(lane, 2); a3 = factors(lane, 3); a4 = factors(lane, 4)
            b1 = factors(lane + half, 1); b2 = factors(lane + half, 2)
            b3 = factors(lane + half, 3); b4 = factors(lane + half, 4)
            c1 = 0; c2 = 0; c3 = 0; c4 = 0
            d1 = 0; d2 = 0; d3 = 0; d4 = 0
            do m = 1, n_members
                u = x(lane, m) - a1*sources(m, i1) - a2*sources(m, i2) - a3*sources(m, i3) - a4*sources(m, i4)
                v = x(lane + half, m) - b1*sources(m, i1) - b2*sources(m, i2) - b3*sources(m, i3) - b4*sources(m, i4)
                x(lane, m) = u
                x(lane + half, m) = v
                c1 = c1 + u*sources(m, j1)
                d1 = d1 + v*sources(m, j1)
                c2 = c2 + u*sources(m, j2)
                d2 = d2 + v*sources(m, j2)
                c3 = c3 + u*sources(m, j3)
                d3 = d3 + v*sources(m, j3)
                c4 = c4 + u*sources(m, j4)
                d4 = d4 + v*sources(m, j4)
            end do
            products(lane, 1) = c1; products(lane, 2) = c2; products(lane, 3) = c3; products(lane, 4) = c4
            products(lane + half, 1) = d1; products(lane + half, 2) = d2
            products(lane + half, 3) = d3; products(lane + half, 4) = d4
        end do
    end subroutine lane_step

    !> `lane_subtract` for one batch and `lane_products` for the next in one pass over the block, in single precision.
    pure subroutine lane_step_single(n_members, batch, factors, next, sources, x, products)
        integer, intent(in) :: n_members                   !! members
        integer, intent(in) :: batch(n_batch)              !! columns of `sources` to take off
        real(sp), intent(in) :: factors(n_lanes, n_batch)  !! their multiples
        integer, intent(in) :: next(n_batch)               !! columns of `sources` of the next batch
        real(sp), intent(in), contiguous :: sources(:, 0:) !! perturbations of the sources (n_members, 0:n)
        real(sp), intent(inout) :: x(n_lanes, n_members)   !! perturbations of the block
        real(sp), intent(out) :: products(n_lanes, n_batch) !! of the next batch with the block
        real(sp) :: a1, a2, a3, a4, c1, c2, c3, c4, u
        integer :: i1, i2, i3, i4, j1, j2, j3, j4, lane, m

        if (n_members < 1) return
        i1 = batch(1); i2 = batch(2); i3 = batch(3); i4 = batch(4)
        j1 = next(1); j2 = next(2); j3 = next(3); j4 = next(4)
        !$omp simd private(a1, a2, a3, a4, c1, c2, c3, c4, u, m)
        do lane = 1, n_lanes
            a1 = factors(lane, 1); a2 = factors(lane, 2); a3 = factors(lane, 3); a4 = factors(lane, 4)
            c1 = 0; c2 = 0; c3 = 0; c4 = 0
            do m = 1, n_members
                u = x(lane, m) - a1*sources(m, i1) - a2*sources(m, i2) - a3*sources(m, i3) - a4*sources(m, i4)
                x(lane, m) = u
                c1 = c1 + u*sources(m, j1); c2 = c2 + u*sources(m, j2)
                c3 = c3 + u*sources(m, j3); c4 = c4 + u*sources(m, j4)
            end do
            products(lane, 1) = c1; products(lane, 2) = c2; products(lane, 3) = c3; products(lane, 4) = c4
        end do
    end subroutine lane_step_single

    !> Scalar products among the sources of a batch (lower triangle, without the diagonal).
    pure subroutine batch_gram(n_members, batch, sources, gram)
        integer, intent(in) :: n_members                   !! members
        integer, intent(in) :: batch(n_batch)              !! columns of `sources`
        real(dp), intent(in), contiguous :: sources(:, 0:) !! perturbations of the sources (n_members, 0:n)
        real(dp), intent(out) :: gram(n_batch, n_batch)    !! products (later, earlier)
        real(dp) :: s21, s31, s32, s41, s42, s43
        integer :: i1, i2, i3, i4, m

        i1 = batch(1); i2 = batch(2); i3 = batch(3); i4 = batch(4)
        s21 = 0; s31 = 0; s32 = 0; s41 = 0; s42 = 0; s43 = 0
        !$omp simd reduction(+:s21, s31, s32, s41, s42, s43)
        do m = 1, n_members
            s21 = s21 + sources(m, i2)*sources(m, i1)
            s31 = s31 + sources(m, i3)*sources(m, i1)
            s32 = s32 + sources(m, i3)*sources(m, i2)
            s41 = s41 + sources(m, i4)*sources(m, i1)
            s42 = s42 + sources(m, i4)*sources(m, i2)
            s43 = s43 + sources(m, i4)*sources(m, i3)
        end do
        gram = 0
        gram(2, 1) = s21
        gram(3, 1) = s31; gram(3, 2) = s32
        gram(4, 1) = s41; gram(4, 2) = s42; gram(4, 3) = s43
    end subroutine batch_gram

    !> From the products of a batch to the multiples that each source takes off, one source after the other, and the
    !> steps of the means; Whitaker & Hamill (2002), eq. 13, in the space of the batch.
    pure subroutine lane_gains(batch, weights, gram, gains, steps, products, means)
        integer, intent(in) :: batch(n_batch)                  !! columns of the sources
        real(dp), intent(in) :: weights(n_lanes, n_batch)      !! localization weights [1]
        real(dp), intent(in) :: gram(n_batch, n_batch)         !! scalar products of the sources (later, earlier)
        real(dp), intent(in), contiguous :: gains(0:)          !! alpha/((N-1)(s+R)) of every source
        real(dp), intent(in), contiguous :: steps(0:)          !! innovation/alpha of every source
        real(dp), intent(inout) :: products(n_lanes, n_batch)  !! in: with the block before the batch; out: the multiples
        real(dp), intent(inout) :: means(n_lanes)              !! means of the block
        integer :: earlier, lane, later

        do later = 1, n_batch
            do earlier = 1, later - 1
                !$omp simd
                do lane = 1, n_lanes
                    products(lane, later) = products(lane, later) - products(lane, earlier)*gram(later, earlier)
                end do
            end do
            !$omp simd
            do lane = 1, n_lanes
                products(lane, later) = gains(batch(later))*weights(lane, later)*products(lane, later)
                means(lane) = means(lane) + products(lane, later)*steps(batch(later))
            end do
        end do
    end subroutine lane_gains

    !> The same update for one parameter and a list of sources, one after the other.
    pure subroutine replay_column(n_list, list, weights, sources, gains, steps, x, mean)
        integer, intent(in) :: n_list                      !! sources that update this parameter
        integer, intent(in), contiguous :: list(:)         !! their columns, in the order of assimilation
        real(dp), intent(in), contiguous :: weights(:)     !! localization weights [1]
        real(dp), intent(in), contiguous :: sources(:, 0:) !! perturbations of the sources (n_members, 0:n)
        real(dp), intent(in), contiguous :: gains(0:)      !! alpha/((N-1)(s+R)) of every source
        real(dp), intent(in), contiguous :: steps(0:)      !! innovation/alpha of every source
        real(dp), intent(inout), contiguous :: x(:)        !! perturbations (n_members)
        real(dp), intent(inout) :: mean                    !! ensemble mean
        real(dp) :: product
        integer :: i, k, m

        do i = 1, n_list
            k = list(i)
            product = 0
            !$omp simd reduction(+:product)
            do m = 1, size(x)
                product = product + x(m)*sources(m, k)
            end do
            product = gains(k)*weights(i)*product
            mean = mean + product*steps(k)
            !$omp simd
            do m = 1, size(x)
                x(m) = x(m) - product*sources(m, k)
            end do
        end do
    end subroutine replay_column
end module gcas_ensrf_kernels
