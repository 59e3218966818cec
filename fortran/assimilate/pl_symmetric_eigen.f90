!> Eigenvalues of a small symmetric matrix, with its eigenvectors kept as a product.
!>
!> The matrix is brought to tridiagonal form by Householder reflections and to diagonal form by implicit
!> QL sweeps with Wilkinson's shift (Golub and Van Loan 2013, Matrix Computations, sections 8.3.1 and
!> 8.3.3; Parlett 1998, The Symmetric Eigenvalue Problem, chapter 8). Reflections and rotations are stored
!> instead of being multiplied out: a filter needs `U f(D) U^T x` for a few vectors `x` only, so the cost of
!> accumulating eigenvectors falls away. No library is called: a threaded BLAS inside an OpenMP region
!> oversubscribes the machine and may change the order of its sums, and this result may not depend on threads.
module pl_symmetric_eigen
   use pl_error, only: error_convergence, error_type, raise_error
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: eigen_type, vector_lanes

   ! Loops over lanes carry `omp simd`: without it the compiler unrolls them and vectorises across lanes instead.
   integer, parameter :: vector_lanes = 8 !! vectors that are transformed together, the first index of a block
   integer, parameter :: max_sweeps = 60  !! QL sweeps per eigenvalue; two are usual
   real(rk), parameter :: smallest_square = tiny(1.0_rk)/epsilon(1.0_rk) !! smaller squares lose digits
   real(rk), parameter :: smallest_entry = sqrt(smallest_square)         !! its root

   !> A factorised matrix `A = U diag(values) U^T`; the work space is used again for the next matrix.
   type :: eigen_type
      integer :: n = 0                         !! order of the matrix
      integer :: nrotation = 0                 !! rotations stored
      real(rk), allocatable :: matrix(:, :)    !! both triangles; then reflectors below the diagonal
      real(rk), allocatable :: values(:)       !! eigenvalues, not sorted
      real(rk), allocatable :: tau(:)          !! factors of the reflectors
      real(rk), allocatable :: off_diagonal(:) !! off-diagonal of the tridiagonal form
      real(rk), allocatable :: v(:), w(:)      !! vectors of the rank-two update
      real(rk), allocatable :: cosine(:), sine(:) !! rotations in the order in which they were applied
      integer, allocatable :: plane(:)         !! each acts on components `plane` and `plane + 1`
   contains
      procedure :: create => eigen_create
      procedure :: factorise => eigen_factorise
      procedure :: reflect_in => eigen_reflect_in
      procedure :: reflect_out => eigen_reflect_out
      procedure :: tridiagonalise => eigen_tridiagonalise
      procedure :: diagonalise => eigen_diagonalise
      procedure :: project => eigen_project
      procedure :: expand => eigen_expand
      procedure, private :: reserve => eigen_reserve
   end type eigen_type

contains

   !> Allocate work space for matrices up to order `largest`.
   subroutine eigen_create(self, largest)
      class(eigen_type), intent(inout) :: self
      integer, intent(in) :: largest !! largest order
      allocate (self%matrix(largest, largest), self%values(largest), self%tau(largest), self%off_diagonal(largest), &
                self%v(largest), self%w(largest), self%cosine(2*largest*largest), self%sine(2*largest*largest), &
                self%plane(2*largest*largest))
   end subroutine eigen_create

   !> Factorise the leading `n` x `n` part of `matrix`.
   subroutine eigen_factorise(self, n, error)
      class(eigen_type), intent(inout) :: self
      integer, intent(in) :: n                            !! order of this matrix
      type(error_type), allocatable, intent(out) :: error !! the QL iteration did not converge
      call self%tridiagonalise(n)
      call self%diagonalise(error)
   end subroutine eigen_factorise

   !> Householder reduction of the leading `n` x `n` part; `values` and `off_diagonal` then hold the tridiagonal form.
   !>
   !> Both triangles are updated, so that every inner loop is contiguous.
   subroutine eigen_tridiagonalise(self, n)
      class(eigen_type), intent(inout) :: self
      integer, intent(in) :: n !! order of this matrix
      real(rk) :: alpha, beta, square, scale
      integer :: i, j, k
      self%n = n
      associate (a => self%matrix, v => self%v, w => self%w)
         do k = 1, n - 2
            self%values(k) = a(k, k)
            alpha = a(k + 1, k)
            square = 0.0_rk
            do i = k + 2, n
               square = square + a(i, k)*a(i, k)
            end do
            if (square <= smallest_square) then
               self%tau(k) = 0.0_rk
               self%off_diagonal(k) = alpha
               cycle
            end if
            beta = -sign(sqrt(alpha*alpha + square), alpha)
            self%tau(k) = (beta - alpha)/beta
            self%off_diagonal(k) = beta
            scale = 1.0_rk/(alpha - beta)
            v(k + 1) = 1.0_rk
            do i = k + 2, n
               v(i) = a(i, k)*scale
            end do
            w(k + 1:n) = 0.0_rk
            do j = k + 1, n - 3, 4
               !$omp simd
               do i = k + 1, n
                  w(i) = w(i) + ((a(i, j)*v(j) + a(i, j + 1)*v(j + 1)) + &
                                 (a(i, j + 2)*v(j + 2) + a(i, j + 3)*v(j + 3)))
               end do
            end do
            do j = n - modulo(n - k, 4) + 1, n
               do i = k + 1, n
                  w(i) = w(i) + a(i, j)*v(j)
               end do
            end do
            scale = 0.0_rk
            do i = k + 1, n
               w(i) = self%tau(k)*w(i)
               scale = scale + w(i)*v(i)
            end do
            scale = 0.5_rk*self%tau(k)*scale
            do i = k + 1, n
               w(i) = w(i) - scale*v(i)
               a(i, k) = v(i)
            end do
            do j = k + 1, n - 3, 4
               !$omp simd
               do i = k + 1, n
                  a(i, j) = a(i, j) - v(i)*w(j) - w(i)*v(j)
                  a(i, j + 1) = a(i, j + 1) - v(i)*w(j + 1) - w(i)*v(j + 1)
                  a(i, j + 2) = a(i, j + 2) - v(i)*w(j + 2) - w(i)*v(j + 2)
                  a(i, j + 3) = a(i, j + 3) - v(i)*w(j + 3) - w(i)*v(j + 3)
               end do
            end do
            do j = n - modulo(n - k, 4) + 1, n
               do i = k + 1, n
                  a(i, j) = a(i, j) - v(i)*w(j) - w(i)*v(j)
               end do
            end do
         end do
         if (n > 1) then
            self%values(n - 1) = a(n - 1, n - 1)
            self%off_diagonal(n - 1) = a(n, n - 1)
         end if
         self%values(n) = a(n, n)
         self%off_diagonal(n) = 0.0_rk
      end associate
   end subroutine eigen_tridiagonalise

   !> Implicit QL iteration on the tridiagonal form, `values` become the eigenvalues; stores its rotations.
   subroutine eigen_diagonalise(self, error)
      class(eigen_type), intent(inout) :: self
      type(error_type), allocatable, intent(out) :: error !! no convergence
      integer :: first, last, sweep
      self%nrotation = 0
      do first = 1, self%n
         do sweep = 1, max_sweeps + 1
            do last = first, self%n - 1
               if (abs(self%off_diagonal(last)) <= max(smallest_entry, epsilon(1.0_rk)* &
                   (abs(self%values(last)) + abs(self%values(last + 1))))) exit
            end do
            if (last == first) exit
            if (sweep > max_sweeps) then
               call raise_error(error, error_convergence, "the eigenvalues of an analysis did not converge; &
                  &look for observations or members with extreme values")
               return
            end if
            call self%reserve(last - first)
            call sweep_block(self, first, last)
         end do
      end do
   end subroutine eigen_diagonalise

   !> One QL sweep over the unreduced block `first` to `last`.
   subroutine sweep_block(self, first, last)
      class(eigen_type), intent(inout) :: self
      integer, intent(in) :: first, last !! bounds of the block
      real(rk) :: b, c, f, g, inverse, length, p, s
      integer :: i
      associate (d => self%values, e => self%off_diagonal, k => self%nrotation)
         g = (d(first + 1) - d(first))/(2.0_rk*e(first))
         g = d(last) - d(first) + e(first)/(g + sign(sqrt(1.0_rk + g*g), g))
         s = 1.0_rk
         c = 1.0_rk
         p = 0.0_rk
         do i = last - 1, first, -1
            f = s*e(i)
            b = c*e(i)
            length = f*f + g*g
            if (length <= smallest_square) then ! the block splits here
               e(i + 1) = 0.0_rk
               d(i + 1) = d(i + 1) - p
               e(last) = 0.0_rk
               return
            end if
            length = sqrt(length)
            inverse = 1.0_rk/length
            e(i + 1) = length
            s = f*inverse
            c = g*inverse
            g = d(i + 1) - p
            length = (d(i) - g)*s + 2.0_rk*c*b
            p = s*length
            d(i + 1) = g + p
            g = c*length - b
            k = k + 1
            self%cosine(k) = c
            self%sine(k) = s
            self%plane(k) = i
         end do
         d(first) = d(first) - p
         e(first) = g
         e(last) = 0.0_rk
      end associate
   end subroutine sweep_block

   !> Make room for `more` further rotations.
   subroutine eigen_reserve(self, more)
      class(eigen_type), intent(inout) :: self
      integer, intent(in) :: more !! rotations to come
      real(rk), allocatable :: larger(:)
      integer, allocatable :: planes(:)
      integer :: n
      if (self%nrotation + more <= size(self%plane)) return
      n = self%nrotation
      allocate (larger(2*(n + more)))
      larger(:n) = self%cosine(:n)
      call move_alloc(larger, self%cosine)
      allocate (larger(2*(n + more)))
      larger(:n) = self%sine(:n)
      call move_alloc(larger, self%sine)
      allocate (planes(2*(n + more)))
      planes(:n) = self%plane(:n)
      call move_alloc(planes, self%plane)
   end subroutine eigen_reserve

   !> Replace each vector of a block by its components along the eigenvectors, `x <- U^T x`.
   pure subroutine eigen_project(self, block)
      class(eigen_type), intent(in) :: self
      real(rk), intent(inout) :: block(vector_lanes, self%n) !! vectors, one per lane [any unit]
      real(rk) :: t
      integer :: i, k, lane
      call self%reflect_in(block)
      do k = 1, self%nrotation
         i = self%plane(k)
         !$omp simd private(t)
         do lane = 1, vector_lanes
            t = block(lane, i + 1)
            block(lane, i + 1) = self%sine(k)*block(lane, i) + self%cosine(k)*t
            block(lane, i) = self%cosine(k)*block(lane, i) - self%sine(k)*t
         end do
      end do
   end subroutine eigen_project

   !> Rebuild vectors from their components along the eigenvectors, `x <- U x`.
   pure subroutine eigen_expand(self, block)
      class(eigen_type), intent(in) :: self
      real(rk), intent(inout) :: block(vector_lanes, self%n) !! components, one vector per lane [any unit]
      real(rk) :: t
      integer :: i, k, lane
      do k = self%nrotation, 1, -1
         i = self%plane(k)
         !$omp simd private(t)
         do lane = 1, vector_lanes
            t = block(lane, i + 1)
            block(lane, i + 1) = self%cosine(k)*t - self%sine(k)*block(lane, i)
            block(lane, i) = self%sine(k)*t + self%cosine(k)*block(lane, i)
         end do
      end do
      call self%reflect_out(block)
   end subroutine eigen_expand

   !> Apply all reflectors, `x <- Q^T x` where the matrix is `Q T Q^T` with the tridiagonal T.
   pure subroutine eigen_reflect_in(self, block)
      class(eigen_type), intent(in) :: self
      real(rk), intent(inout) :: block(vector_lanes, self%n) !! vectors, one per lane [any unit]
      integer :: k
      do k = 1, self%n - 2
         call reflect(self, k, block)
      end do
   end subroutine eigen_reflect_in

   !> Apply all reflectors backwards, `x <- Q x`.
   pure subroutine eigen_reflect_out(self, block)
      class(eigen_type), intent(in) :: self
      real(rk), intent(inout) :: block(vector_lanes, self%n) !! vectors, one per lane [any unit]
      integer :: k
      do k = self%n - 2, 1, -1
         call reflect(self, k, block)
      end do
   end subroutine eigen_reflect_out

   !> Apply reflector `k`, `x <- x - tau v (v^T x)`.
   pure subroutine reflect(self, k, block)
      class(eigen_type), intent(in) :: self
      integer, intent(in) :: k                               !! index of the reflector
      real(rk), intent(inout) :: block(vector_lanes, self%n) !! vectors, one per lane [any unit]
      real(rk) :: t(vector_lanes)
      integer :: i, lane
      if (.not. self%tau(k) > 0.0_rk) return ! no reflection was needed
      t = 0.0_rk
      do i = k + 1, self%n
         !$omp simd
         do lane = 1, vector_lanes
            t(lane) = t(lane) + self%matrix(i, k)*block(lane, i)
         end do
      end do
      t = self%tau(k)*t
      do i = k + 1, self%n
         !$omp simd
         do lane = 1, vector_lanes
            block(lane, i) = block(lane, i) - self%matrix(i, k)*t(lane)
         end do
      end do
   end subroutine reflect

end module pl_symmetric_eigen
