!> A coarse grid on the whole sphere for linear interpolation: the six faces of a cube, each of n × n cells of equal angle.
!>
!> The coordinates of a place on the face of its largest component, a, are the angles atan(b/|a|) and atan(c/|a|) from -45 to 45
!> degrees: no poles, no date line, and the cells differ by no more than 30 per cent in width (Ronchi et al. 1996).
module gcas_coarse_grid
    use gcas_constants, only: earth_radius, pi
    use gcas_kinds, only: dp
    use gcas_partition, only: order_by_place
    implicit none (type, external)
    private

    public :: coarse_grid, n_faces

    integer, parameter :: n_faces = 6

    type :: coarse_grid
        integer :: n = 1                      !! cells along an edge
        integer, allocatable :: start(:)      !! where the targets of a cell begin in `order` (0:number of cells)
        integer, allocatable :: order(:)      !! the targets that lie in it by cell, in each cell neighbours together
    contains
        procedure :: make
        procedure :: locate
        procedure :: point
    end type coarse_grid

contains

    !> A grid of about this spacing, and which targets lie in which cell.
    subroutine make(self, spacing_km, vectors, columns, n_together, n_threads)
        class(coarse_grid), intent(inout) :: self
        real(dp), intent(in) :: spacing_km                !! [km]
        real(dp), intent(in), contiguous :: vectors(:, :) !! unit vectors of all targets (3, n_targets)
        integer, intent(in) :: columns(:)                 !! the targets that are put into cells
        integer, intent(in) :: n_together                 !! targets that are treated together
        integer, intent(in) :: n_threads                  !! threads
        integer, allocatable :: by_place(:), cell(:)
        integer :: i
        real(dp) :: share(2)

        self%n = max(1, ceiling(0.5_dp*pi*earth_radius/(1000.0_dp*spacing_km)))
        allocate (self%start(0:n_faces*self%n**2), self%order(size(columns)), cell(size(columns)))
        by_place = columns
        call order_by_place(vectors, n_together, n_threads, by_place)
        self%start = 0
        do i = 1, size(cell)
            call self%locate(vectors(:, by_place(i)), cell(i), share)
            self%start(cell(i) + 1) = self%start(cell(i) + 1) + 1
        end do
        do i = 1, n_faces*self%n**2
            self%start(i) = self%start(i) + self%start(i - 1)
        end do
        do i = size(cell), 1, -1
            self%order(self%start(cell(i) + 1)) = by_place(i)
            self%start(cell(i) + 1) = self%start(cell(i) + 1) - 1
        end do
        ! Counting down has moved every end to its cell's beginning.
        self%start(0:n_faces*self%n**2 - 1) = self%start(1:n_faces*self%n**2)
        self%start(n_faces*self%n**2) = size(cell)
    end subroutine make

    !> The cell that holds a place, and where in it.
    pure subroutine locate(self, vector, cell, share)
        class(coarse_grid), intent(in) :: self
        real(dp), intent(in) :: vector(3)  !! unit vector
        integer, intent(out) :: cell       !! ((face - 1) n + row) n + column, all but the face from 0
        real(dp), intent(out) :: share(2)  !! from the cell's column to the next, from its row to the next, in [0, 1]
        integer :: axis, corner(2), face
        real(dp) :: angle(2)

        axis = maxloc(abs(vector), dim=1)
        face = 2*axis - merge(1, 0, vector(axis) > 0.0_dp)
        angle(1) = atan2(vector(mod(axis, 3) + 1), abs(vector(axis)))
        angle(2) = atan2(vector(mod(axis + 1, 3) + 1), abs(vector(axis)))
        angle = (angle/(0.5_dp*pi) + 0.5_dp)*self%n
        corner = max(0, min(self%n - 1, floor(angle)))
        share = min(max(angle - corner, 0.0_dp), 1.0_dp)
        cell = ((face - 1)*self%n + corner(2))*self%n + corner(1)
    end subroutine locate

    !> Unit vector of a corner of cells.
    pure function point(self, face, row, column) result(vector)
        class(coarse_grid), intent(in) :: self
        integer, intent(in) :: face
        integer, intent(in) :: row     !! from 0 to n
        integer, intent(in) :: column  !! from 0 to n
        real(dp) :: vector(3)
        integer :: axis

        axis = (face + 1)/2
        vector(axis) = merge(1.0_dp, -1.0_dp, mod(face, 2) == 1)
        vector(mod(axis, 3) + 1) = tan(0.5_dp*pi*(real(column, dp)/self%n - 0.5_dp))
        vector(mod(axis + 1, 3) + 1) = tan(0.5_dp*pi*(real(row, dp)/self%n - 0.5_dp))
        vector = vector/sqrt(sum(vector**2))
    end function point
end module gcas_coarse_grid
