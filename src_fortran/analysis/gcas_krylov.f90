!> Functions of a symmetric positive semidefinite matrix A, acting on one or two vectors: Lanczos' method.
!>
!> For a start vector b: u = (I + A)^(-1/2) b, or u = h(A) b with h(a) = 1/(1 + a + sqrt(1 + a)); and the number
!> cᵀ (I + A)^(-1) b. The steps end when the residual of (I + A) x = b, which bounds the error of all three, is below
!> `tolerance`: with a^(-1/2) = 2/pi times the integral of 1/(t**2 + a) over t > 0 every function is a mean of shifted inverses,
!> and a shift only lessens the residual. All vectors are kept orthogonal, so that at the dimension of A at the latest the
!> answer is complete.
module gcas_krylov
    use gcas_inverse_root, only: max_poles, pole_table
    use gcas_kinds, only: dp
    use gcas_letkf_kernels, only: multiply_one, multiply_pair
    use gcas_pair_kernels, only: dot
    implicit none (type, external)
    private

    public :: krylov_space, apply_functions

    !> One vector's space.
    type :: krylov_space
        integer :: n_steps = 0                 !! dimension
        logical :: finished = .false.
        real(dp) :: start = 0                  !! length of the start vector
        real(dp) :: pivot = 1                  !! last pivot of I + T
        real(dp) :: residual = 1               !! of (I + A) x = b, relative
        real(dp), allocatable :: basis(:)      !! orthonormal vectors (n, n_steps + 1), in one row
        real(dp), allocatable :: diagonal(:)   !! of the tridiagonal T (n_steps)
        real(dp), allocatable :: off(:)        !! beside the diagonal (n_steps)
        real(dp), allocatable :: product(:)    !! A times the last vector, then what is left of it (n)
        real(dp), allocatable :: root(:)       !! coordinates of u (n_steps)
        real(dp), allocatable :: inverse(:)    !! coordinates of (I + A)^(-1) b (n_steps)
        real(dp), allocatable :: factors(:, :) !! work space of the poles (max_poles, n_steps)
    contains
        procedure :: reserve
        procedure :: begin
        procedure :: advance
        procedure :: evaluate
        procedure :: combine
    end type krylov_space

contains

    !> Apply the functions to the start vectors that `spaces` have taken in by `begin`.
    subroutine apply_functions(poles, n, n_padded, a, n_vectors, difference, tolerance, spaces)
        type(pole_table), intent(in) :: poles
        integer, intent(in) :: n                          !! dimension of A
        integer, intent(in) :: n_padded                   !! the same with the panels filled up
        real(dp), intent(in) :: a(n_padded, n_padded)     !! A; zero in rows and columns beyond n
        integer, intent(in) :: n_vectors                  !! start vectors, 1 or 2
        logical, intent(in) :: difference                 !! h(A) instead of (I + A)^(-1/2)
        real(dp), intent(in) :: tolerance(:)              !! of the residuals, relative to the start (n_vectors)
        type(krylov_space), intent(inout) :: spaces(:)
        integer :: i, last, step

        do step = 1, n
            if (all(spaces(1:n_vectors)%finished)) exit
            last = n_padded*(step - 1) + 1
            if (n_vectors == 2 .and. .not. any(spaces(1:n_vectors)%finished)) then
                call multiply_pair(n_padded, a, spaces(1)%basis(last), spaces(2)%basis(last), spaces(1)%product, &
                                   spaces(2)%product)
            else
                do i = 1, n_vectors
                    if (.not. spaces(i)%finished) call multiply_one(n_padded, a, spaces(i)%basis(last), spaces(i)%product)
                end do
            end if
            do i = 1, n_vectors
                if (.not. spaces(i)%finished) call spaces(i)%advance(n_padded, step, step == n, tolerance(i))
            end do
        end do
        do i = 1, n_vectors
            call spaces(i)%evaluate(poles, difference)
        end do
    end subroutine apply_functions

    !> Make room for matrices of up to `n` rows.
    subroutine reserve(self, n)
        class(krylov_space), intent(inout) :: self
        integer, intent(in) :: n !! rows, filled up

        allocate (self%basis(n*(n + 1)), self%product(n), self%diagonal(n), self%off(n), self%root(n), self%inverse(n), &
                  self%factors(max_poles + 1, n))
    end subroutine reserve

    !> Take a start vector in.
    subroutine begin(self, n, n_padded, b)
        class(krylov_space), intent(inout) :: self
        integer, intent(in) :: n         !! dimension
        integer, intent(in) :: n_padded  !! the same with the panels filled up
        real(dp), intent(in), contiguous :: b(:) !! start vector (n)

        self%start = sqrt(dot(b, b))
        self%n_steps = 0
        self%pivot = 1
        self%residual = 1
        self%finished = .not. self%start > 0.0_dp
        if (self%finished) return
        self%basis(1:n) = b/self%start
        self%basis(n + 1:n_padded) = 0
    end subroutine begin

    !> One step: the next column of T, the next vector of the basis, the residual so far.
    subroutine advance(self, n_padded, step, is_last, tolerance)
        class(krylov_space), intent(inout) :: self
        integer, intent(in) :: n_padded
        integer, intent(in) :: step
        logical, intent(in) :: is_last     !! the space is complete
        real(dp), intent(in) :: tolerance  !! of the residual, relative to the start
        real(dp) :: off

        self%n_steps = step
        call orthogonal_rest(n_padded, step, self%basis, self%off(max(step - 1, 1)), self%diagonal(step), self%product, off)
        self%off(step) = off
        ! Pivots of I + T from the top; the last coordinate of (I + T)^(-1) e1 is the product of off/pivot.
        if (step == 1) then
            self%pivot = 1.0_dp + self%diagonal(1)
        else
            self%pivot = 1.0_dp + self%diagonal(step) - self%off(step - 1)**2/self%pivot
        end if
        self%residual = self%residual*off/self%pivot
        self%finished = is_last .or. self%residual <= tolerance .or. off <= tiny(off)
        if (.not. self%finished) self%basis(n_padded*step + 1:n_padded*(step + 1)) = self%product(1:n_padded)/off
    end subroutine advance

    !> What A times the last vector has beyond the basis: Lanczos' recurrence, then all vectors are taken off once, or
    !> again if much was left of them.
    pure subroutine orthogonal_rest(n, step, basis, previous, diagonal, v, length)
        integer, intent(in) :: n
        integer, intent(in) :: step               !! vectors of the basis
        real(dp), intent(in) :: basis(n, step)
        real(dp), intent(in) :: previous          !! length of the rest one step ago
        real(dp), intent(out) :: diagonal         !! product with the last vector
        real(dp), intent(inout) :: v(n)           !! A times the last vector; out: the rest
        real(dp), intent(out) :: length           !! of the rest
        real(dp) :: before
        integer :: pass

        diagonal = dot(basis(:, step), v)
        v = v - diagonal*basis(:, step)
        if (step > 1) v = v - previous*basis(:, step - 1)
        length = sqrt(dot(v, v))
        do pass = 1, 3
            before = length
            call take_off(n, step, basis, v)
            length = sqrt(dot(v, v))
            if (length > 0.1_dp*before) exit
        end do
    end subroutine orthogonal_rest

    !> Take the components along some orthonormal vectors off, four at a time.
    pure subroutine take_off(n, n_basis, basis, v)
        integer, intent(in) :: n
        integer, intent(in) :: n_basis
        real(dp), intent(in) :: basis(n, n_basis)
        real(dp), intent(inout) :: v(n)
        real(dp) :: c1, c2, c3, c4
        integer :: i, j

        do j = 1, n_basis - 3, 4
            c1 = 0; c2 = 0; c3 = 0; c4 = 0
            !$omp simd reduction(+:c1, c2, c3, c4)
            do i = 1, n
                c1 = c1 + basis(i, j)*v(i)
                c2 = c2 + basis(i, j + 1)*v(i)
                c3 = c3 + basis(i, j + 2)*v(i)
                c4 = c4 + basis(i, j + 3)*v(i)
            end do
            !$omp simd
            do i = 1, n
                v(i) = v(i) - c1*basis(i, j) - c2*basis(i, j + 1) - c3*basis(i, j + 2) - c4*basis(i, j + 3)
            end do
        end do
        do j = n_basis - mod(n_basis, 4) + 1, n_basis
            c1 = 0
            !$omp simd reduction(+:c1)
            do i = 1, n
                c1 = c1 + basis(i, j)*v(i)
            end do
            !$omp simd
            do i = 1, n
                v(i) = v(i) - c1*basis(i, j)
            end do
        end do
    end subroutine take_off

    !> Coordinates of the results in the basis: one tridiagonal system a pole, all poles together.
    subroutine evaluate(self, poles, difference)
        class(krylov_space), intent(inout) :: self
        type(pole_table), intent(in) :: poles
        logical, intent(in) :: difference !! h(A) instead of (I + A)^(-1/2)
        real(dp) :: coefficient(max_poles + 1), largest, shift(max_poles + 1), total
        integer :: i, j, k, m, range

        m = self%n_steps
        if (m == 0) return
        largest = 0
        do j = 1, m
            largest = max(largest, self%diagonal(j) + self%off(j) + self%off(max(j - 1, 1)))
        end do
        range = poles%range_of(1.0_dp + largest)
        k = poles%n(range) + 1
        shift(1:k - 1) = 1.0_dp + poles%shift(1:k - 1, range)
        coefficient(1:k - 1) = poles%coefficient(1:k - 1, range)
        ! With 1 = sum of coefficient/shift: h(a) = (1 - (1 + a)^(-1/2))/a = sum of coefficient/(shift (shift + a)).
        if (difference) coefficient(1:k - 1) = coefficient(1:k - 1)/shift(1:k - 1)
        shift(k) = 1
        coefficient(k) = 0

        do i = 1, k
            self%factors(i, m) = 1.0_dp/(self%diagonal(m) + shift(i))
        end do
        do j = m - 1, 1, -1
            !$omp simd
            do i = 1, k
                self%factors(i, j) = 1.0_dp/(self%diagonal(j) + shift(i) - self%off(j)**2*self%factors(i, j + 1))
            end do
        end do
        do j = 1, m
            if (j > 1) then
                !$omp simd
                do i = 1, k
                    self%factors(i, j) = -self%off(j - 1)*self%factors(i, j)*self%factors(i, j - 1)
                end do
            end if
            total = 0
            !$omp simd reduction(+:total)
            do i = 1, k
                total = total + coefficient(i)*self%factors(i, j)
            end do
            self%root(j) = self%start*total
            self%inverse(j) = self%start*self%factors(k, j)
        end do
    end subroutine evaluate

    !> The vector u, and cᵀ (I + A)^(-1) b.
    subroutine combine(self, n, n_padded, c, u, product)
        class(krylov_space), intent(in) :: self
        integer, intent(in) :: n                     !! dimension
        integer, intent(in) :: n_padded              !! the same with the panels filled up
        real(dp), intent(in), contiguous :: c(:)     !! (n)
        real(dp), intent(inout), contiguous :: u(:)  !! (n)
        real(dp), intent(out) :: product
        integer :: j, first

        u(1:n) = 0
        product = 0
        do j = 1, self%n_steps
            first = n_padded*(j - 1) + 1
            u(1:n) = u(1:n) + self%root(j)*self%basis(first:first + n - 1)
            product = product + self%inverse(j)*dot(self%basis(first:first + n - 1), c(1:n))
        end do
    end subroutine combine
end module gcas_krylov
