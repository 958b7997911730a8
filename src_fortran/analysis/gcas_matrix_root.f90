!> The inverse square root of a whole symmetric matrix I + A, A positive semidefinite, without eigenvectors.
!>
!> Reflections (Householder 1958) bring A to a tridiagonal T; there (I + T)^(-1/2) is a sum of shifted inverses (`gcas_inverse_root`),
!> whose rows follow from one another by one factor; the reflections bring the sum back. One vector is solved for on the way.
module gcas_matrix_root
    use gcas_inverse_root, only: pole_table
    use gcas_kinds, only: dp
    use gcas_pair_kernels, only: dot
    implicit none (type, external)
    private

    public :: matrix_root, subtract_product

    !> Work space, and the result.
    type :: matrix_root
        integer :: n = 0                          !! dimension
        real(dp), allocatable :: values(:, :)     !! the function of A (n, n)
        real(dp), allocatable :: vectors(:, :)    !! reflection k: I - tau v vᵀ, v in rows k+1 to n of column k
        real(dp), allocatable :: tau(:)           !! (n)
        real(dp), allocatable :: diagonal(:)      !! of T (n)
        real(dp), allocatable :: off(:)           !! beside it (n)
    contains
        procedure :: make
        procedure, private :: reduce
        procedure, private :: solve
        procedure, private :: sum_of_poles
        procedure, private :: bring_back
    end type matrix_root

    real(dp), parameter :: negligible = 1.0e-200_dp !! what is smaller is left out of sums with numbers near 1

contains

    !> Form (I + A)^(-1/2), or h(A) with h(a) = 1/(1 + a + sqrt(1 + a)), and turn `b` into (I + A)^(-1) b.
    subroutine make(self, poles, n, stride, a, difference, b)
        class(matrix_root), intent(inout) :: self
        type(pole_table), intent(in) :: poles
        integer, intent(in) :: n                   !! dimension
        integer, intent(in) :: stride              !! rows of the array that holds A
        real(dp), intent(in) :: a(stride, n)       !! A
        logical, intent(in) :: difference          !! h(A)
        real(dp), intent(inout) :: b(n)

        self%n = n
        self%vectors = a(1:n, 1:n)
        if (allocated(self%values)) deallocate (self%values)
        allocate (self%values(n, n))
        if (allocated(self%tau)) deallocate (self%tau, self%diagonal, self%off)
        allocate (self%tau(n), self%diagonal(n), self%off(n))
        call self%reduce()
        call self%solve(b)
        call self%sum_of_poles(poles, difference)
        call self%bring_back()
    end subroutine make

    !> To tridiagonal form. The columns of what is left are updated by one reflection and multiplied with the next one's vector at once.
    subroutine reduce(self)
        class(matrix_root), intent(inout) :: self
        real(dp) :: length, product(self%n), v(self%n), w(self%n)
        integer :: j, k, n

        n = self%n
        self%tau = 0
        self%off = 0
        v = 0
        w = 0
        do k = 1, n
            ! Column k, then with its vector all later ones.
            if (k > 1) self%vectors(k:n, k) = self%vectors(k:n, k) - v(k:n)*w(k) - w(k:n)*v(k)
            self%diagonal(k) = self%vectors(k, k)
            if (k == n) exit
            length = sqrt(dot(self%vectors(k + 1:n, k), self%vectors(k + 1:n, k)))
            self%off(k) = -sign(length, self%vectors(k + 1, k))
            if (length > 0.0_dp) then
                self%tau(k) = 1.0_dp - self%vectors(k + 1, k)/self%off(k)
                self%vectors(k + 2:n, k) = self%vectors(k + 2:n, k)/(self%vectors(k + 1, k) - self%off(k))
            end if
            self%vectors(k + 1, k) = 1
            product(k + 1:n) = 0
            call update_and_multiply(n, k, k + 1, v, w, self%vectors(:, k), self%vectors, product)
            v(k + 1:n) = self%vectors(k + 1:n, k)
            w(k + 1:n) = self%tau(k)*product(k + 1:n)
            length = dot(v(k + 1:n), w(k + 1:n))
            do j = k + 1, n
                w(j) = w(j) - 0.5_dp*self%tau(k)*length*v(j)
            end do
        end do
    end subroutine reduce

    !> From columns `first` to n of a matrix take v wᵀ + w vᵀ off, and add their multiples by `next` up: rows beyond `above` only.
    pure subroutine update_and_multiply(n, above, first, v, w, next, a, product)
        integer, intent(in) :: n
        integer, intent(in) :: above
        integer, intent(in) :: first
        real(dp), intent(in) :: v(n)
        real(dp), intent(in) :: w(n)
        real(dp), intent(in) :: next(n)
        real(dp), intent(inout) :: a(n, n)
        real(dp), intent(inout) :: product(n)
        real(dp) :: a1, a2, a3, a4
        integer :: i, j

        do j = first, n - 3, 4
            !$omp simd private(a1, a2, a3, a4)
            do i = above + 1, n
                a1 = a(i, j) - v(i)*w(j) - w(i)*v(j)
                a2 = a(i, j + 1) - v(i)*w(j + 1) - w(i)*v(j + 1)
                a3 = a(i, j + 2) - v(i)*w(j + 2) - w(i)*v(j + 2)
                a4 = a(i, j + 3) - v(i)*w(j + 3) - w(i)*v(j + 3)
                a(i, j) = a1
                a(i, j + 1) = a2
                a(i, j + 2) = a3
                a(i, j + 3) = a4
                product(i) = product(i) + a1*next(j) + a2*next(j + 1) + a3*next(j + 2) + a4*next(j + 3)
            end do
        end do
        do j = n - mod(n - first + 1, 4) + 1, n
            !$omp simd
            do i = above + 1, n
                a(i, j) = a(i, j) - v(i)*w(j) - w(i)*v(j)
                product(i) = product(i) + a(i, j)*next(j)
            end do
        end do
    end subroutine update_and_multiply

    !> (I + A)^(-1) b: the reflections, the tridiagonal system, the reflections backwards.
    subroutine solve(self, b)
        class(matrix_root), intent(in) :: self
        real(dp), intent(inout) :: b(self%n)
        real(dp) :: pivot(self%n)
        integer :: k, n

        n = self%n
        do k = 1, n - 1
            b(k + 1:n) = b(k + 1:n) - self%tau(k)*dot(self%vectors(k + 1:n, k), b(k + 1:n))*self%vectors(k + 1:n, k)
        end do
        pivot(1) = 1.0_dp + self%diagonal(1)
        do k = 2, n
            b(k) = b(k) - self%off(k - 1)/pivot(k - 1)*b(k - 1)
            pivot(k) = 1.0_dp + self%diagonal(k) - self%off(k - 1)**2/pivot(k - 1)
        end do
        b(n) = b(n)/pivot(n)
        do k = n - 1, 1, -1
            b(k) = (b(k) - self%off(k)*b(k + 1))/pivot(k)
        end do
        do k = n - 1, 1, -1
            b(k + 1:n) = b(k + 1:n) - self%tau(k)*dot(self%vectors(k + 1:n, k), b(k + 1:n))*self%vectors(k + 1:n, k)
        end do
    end subroutine solve

    !> The function of T. Below its diagonal a row of a shifted inverse is the row above times -off/pivot.
    subroutine sum_of_poles(self, poles, difference)
        class(matrix_root), intent(inout) :: self
        type(pole_table), intent(in) :: poles
        logical, intent(in) :: difference
        real(dp) :: coefficient, down(self%n), largest, row(self%n), shift, up(self%n)
        integer :: first, i, j, k, n, range

        n = self%n
        largest = 0
        do i = 1, n
            largest = max(largest, self%diagonal(i) + abs(self%off(i)) + abs(self%off(max(i - 1, 1))))
        end do
        range = poles%range_of(1.0_dp + largest)
        self%values = 0
        do k = 1, poles%n(range)
            shift = 1.0_dp + poles%shift(k, range)
            coefficient = poles%coefficient(k, range)
            ! With 1 = sum of coefficient/shift: h(a) = (1 - (1 + a)^(-1/2))/a = sum of coefficient/(shift (shift + a)).
            if (difference) coefficient = coefficient/shift
            ! Pivots of T + shift from the top and from the bottom.
            down(1) = self%diagonal(1) + shift
            do i = 2, n
                down(i) = self%diagonal(i) + shift - self%off(i - 1)**2/down(i - 1)
            end do
            up(n) = self%diagonal(n) + shift
            do i = n - 1, 1, -1
                up(i) = self%diagonal(i) + shift - self%off(i)**2/up(i + 1)
            end do
            first = 1
            do i = 1, n
                if (i > 1) row(first:i - 1) = -self%off(i - 1)/up(i)*row(first:i - 1)
                row(i) = 1.0_dp/(down(i) + up(i) - (self%diagonal(i) + shift))
                do while (abs(row(first)) < negligible .and. first < i)
                    first = first + 1
                end do
                self%values(first:i, i) = self%values(first:i, i) + coefficient*row(first:i)
            end do
        end do
        do j = 1, n
            do i = j + 1, n
                self%values(i, j) = self%values(j, i)
            end do
        end do
    end subroutine sum_of_poles

    !> All reflections from both sides, the last one first. Columns that no reflection has reached yet are filled when theirs comes.
    subroutine bring_back(self)
        class(matrix_root), intent(inout) :: self
        real(dp) :: length, product(self%n), v(self%n), w(self%n)
        integer :: k, n

        n = self%n
        v = 0
        w = 0
        do k = n - 1, 0, -1
            ! Column k+1 has taken no part so far: what the reflections have made of its row is its lower end.
            product = 0
            if (k + 2 <= n) then
                call update_and_multiply(n, 0, k + 2, v, w, vector_of(k), self%values, product)
                self%values(k + 2:n, k + 1) = self%values(k + 1, k + 2:n)
            end if
            if (k == 0) exit
            product = product + self%values(:, k + 1)*self%vectors(k + 1, k)
            w = self%tau(k)*product
            v(k + 1:n) = self%vectors(k + 1:n, k)
            length = dot(v(k + 1:n), w(k + 1:n))
            w(k + 1:n) = w(k + 1:n) - 0.5_dp*self%tau(k)*length*v(k + 1:n)
        end do

    contains

        !> The vector of the next reflection; none after the last.
        pure function vector_of(column) result(next)
            integer, intent(in) :: column
            real(dp) :: next(self%n)

            next = 0
            if (column > 0) next(column + 1:) = self%vectors(column + 1:, column)
        end function vector_of
    end subroutine bring_back

    !> Take a bᵀ off a matrix.
    pure subroutine subtract_product(n, depth, a, b, c)
        integer, intent(in) :: n                !! rows and columns of `c`
        integer, intent(in) :: depth            !! columns of `a` and `b`
        real(dp), intent(in) :: a(n, depth)
        real(dp), intent(in) :: b(n, depth)
        real(dp), intent(inout) :: c(n, n)
        real(dp) :: b1, b2, b3, b4
        integer :: i, j, k

        do j = 1, n
            do k = 1, depth - 3, 4
                b1 = b(j, k); b2 = b(j, k + 1); b3 = b(j, k + 2); b4 = b(j, k + 3)
                !$omp simd
                do i = 1, n
                    c(i, j) = c(i, j) - a(i, k)*b1 - a(i, k + 1)*b2 - a(i, k + 2)*b3 - a(i, k + 3)*b4
                end do
            end do
            do k = depth - mod(depth, 4) + 1, depth
                !$omp simd
                do i = 1, n
                    c(i, j) = c(i, j) - a(i, k)*b(j, k)
                end do
            end do
        end do
    end subroutine subtract_product
end module gcas_matrix_root
