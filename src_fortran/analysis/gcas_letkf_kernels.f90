!> The innermost loops of the LETKF: matrix products on panels of eight rows, wide enough for vectors, sums in a fixed order.
!>
!> A panel array `a(n_rows, depth, n_panels)` holds a matrix of 8*n_panels rows and `depth` columns; missing rows are zero.
module gcas_letkf_kernels
    use gcas_kinds, only: dp
    implicit none (type, external)
    private

    public :: n_rows, panels_of, add_products, mirror, multiply_one, multiply_pair, gather_scaled

    integer, parameter :: n_rows = 8    !! rows of a panel
    integer, parameter :: n_columns = 8 !! columns of a matrix that are multiplied together

contains

    !> Panels that hold `n` rows.
    pure integer function panels_of(n)
        integer, intent(in) :: n !! rows

        panels_of = (n + n_rows - 1)/n_rows
    end function panels_of

    !> Add a aᵀ to the panels on and below the diagonal of a square matrix.
    pure subroutine add_products(n_panels, depth, a, c)
        integer, intent(in) :: n_panels                             !! panels
        integer, intent(in) :: depth                                !! columns of `a`
        real(dp), intent(in) :: a(n_rows, depth, n_panels)          !! factor
        real(dp), intent(inout) :: c(n_rows*n_panels, n_rows*n_panels) !! a aᵀ is added here
        integer :: column, row

        do column = 1, n_panels
            do row = column, n_panels
                call add_tile(n_rows*n_panels, depth, a(:, :, row), a(:, :, column), &
                              c(n_rows*(row - 1) + 1, n_rows*(column - 1) + 1))
            end do
        end do
    end subroutine add_products

    !> Add the product of one panel with another's transpose to a tile.
    pure subroutine add_tile(stride, depth, rows, columns, tile)
        integer, intent(in) :: stride                       !! first dimension of the matrix that holds the tile
        integer, intent(in) :: depth                        !! columns of the panels
        real(dp), intent(in) :: rows(n_rows, depth)         !! panel of the tile's rows
        real(dp), intent(in) :: columns(n_rows, depth)      !! panel of the tile's columns
        real(dp), intent(inout) :: tile(stride, n_rows)     !! first `n_rows` rows
        real(dp) :: c1, c2, c3, c4, c5, c6, c7, c8, value
        integer :: k, lane

        ! Known to run at least once, the inner loop lets the outer one be vectorised.
        if (depth < 1) return
        !$omp simd private(c1, c2, c3, c4, c5, c6, c7, c8, value, k)
        do lane = 1, n_rows
            c1 = 0; c2 = 0; c3 = 0; c4 = 0; c5 = 0; c6 = 0; c7 = 0; c8 = 0
            do k = 1, depth
                value = rows(lane, k)
                c1 = c1 + value*columns(1, k); c2 = c2 + value*columns(2, k)
                c3 = c3 + value*columns(3, k); c4 = c4 + value*columns(4, k)
                c5 = c5 + value*columns(5, k); c6 = c6 + value*columns(6, k)
                c7 = c7 + value*columns(7, k); c8 = c8 + value*columns(8, k)
            end do
            tile(lane, 1) = tile(lane, 1) + c1; tile(lane, 2) = tile(lane, 2) + c2
            tile(lane, 3) = tile(lane, 3) + c3; tile(lane, 4) = tile(lane, 4) + c4
            tile(lane, 5) = tile(lane, 5) + c5; tile(lane, 6) = tile(lane, 6) + c6
            tile(lane, 7) = tile(lane, 7) + c7; tile(lane, 8) = tile(lane, 8) + c8
        end do
    end subroutine add_tile

    !> Copy what is below the diagonal to above it.
    pure subroutine mirror(n, c)
        integer, intent(in) :: n              !! rows, a multiple of `n_rows`
        real(dp), intent(inout) :: c(n, n)    !! symmetric matrix
        integer :: column, i, j, row

        do column = 0, n - n_rows, n_rows
            do row = column, n - n_rows, n_rows
                do j = 1, n_rows
                    do i = 1, n_rows
                        c(column + j, row + i) = c(row + i, column + j)
                    end do
                end do
            end do
        end do
    end subroutine mirror

    !> Product of a square matrix with one vector.
    pure subroutine multiply_one(n, a, v, product)
        integer, intent(in) :: n              !! rows and columns, a multiple of `n_columns`
        real(dp), intent(in) :: a(n, n)       !! matrix
        real(dp), intent(in) :: v(n)          !! vector
        real(dp), intent(out) :: product(n)
        real(dp) :: w1, w2, w3, w4, w5, w6, w7, w8
        integer :: i, j

        product = 0
        do j = 1, n, n_columns
            w1 = v(j); w2 = v(j + 1); w3 = v(j + 2); w4 = v(j + 3)
            w5 = v(j + 4); w6 = v(j + 5); w7 = v(j + 6); w8 = v(j + 7)
            !$omp simd
            do i = 1, n
                product(i) = product(i) + a(i, j)*w1 + a(i, j + 1)*w2 + a(i, j + 2)*w3 + a(i, j + 3)*w4 &
                             + a(i, j + 4)*w5 + a(i, j + 5)*w6 + a(i, j + 6)*w7 + a(i, j + 7)*w8
            end do
        end do
    end subroutine multiply_one

    !> Products of a square matrix with two vectors: the matrix is read once.
    pure subroutine multiply_pair(n, a, v, u, product_v, product_u)
        integer, intent(in) :: n              !! rows and columns, a multiple of `n_columns`
        real(dp), intent(in) :: a(n, n)       !! matrix
        real(dp), intent(in) :: v(n)          !! first vector
        real(dp), intent(in) :: u(n)          !! second vector
        real(dp), intent(out) :: product_v(n)
        real(dp), intent(out) :: product_u(n)
        real(dp) :: v1, v2, v3, v4, u1, u2, u3, u4
        integer :: i, j

        product_v = 0
        product_u = 0
        do j = 1, n, n_columns/2
            v1 = v(j); v2 = v(j + 1); v3 = v(j + 2); v4 = v(j + 3)
            u1 = u(j); u2 = u(j + 1); u3 = u(j + 2); u4 = u(j + 3)
            !$omp simd
            do i = 1, n
                product_v(i) = product_v(i) + a(i, j)*v1 + a(i, j + 1)*v2 + a(i, j + 2)*v3 + a(i, j + 3)*v4
                product_u(i) = product_u(i) + a(i, j)*u1 + a(i, j + 1)*u2 + a(i, j + 2)*u3 + a(i, j + 3)*u4
            end do
        end do
    end subroutine multiply_pair

    !> Some rows and columns of a symmetric matrix, scaled from both sides; what is left of the panels is zero.
    pure subroutine gather_scaled(n_from, from, n, chosen, scale, n_to, to)
        integer, intent(in) :: n_from                  !! rows of the large matrix
        real(dp), intent(in) :: from(n_from, n_from)   !! the large matrix
        integer, intent(in) :: n                       !! chosen rows
        integer, intent(in) :: chosen(n)               !! their numbers
        real(dp), intent(in) :: scale(n)               !! a factor of each
        integer, intent(in) :: n_to                    !! rows of the small matrix, at least `n`
        real(dp), intent(out) :: to(n_to, n_to)
        integer :: i, j

        do j = 1, n
            !$omp simd
            do i = 1, n
                to(i, j) = from(chosen(i), chosen(j))*(scale(i)*scale(j))
            end do
            to(n + 1:, j) = 0
        end do
        to(:, n + 1:) = 0
    end subroutine gather_scaled
end module gcas_letkf_kernels
