!> Kalman filters in the space of members, for one set of observations: ETKF, DEnKF and EnKF.
!>
!> With S = R^(-1/2) Y' (members x observations), the analysis of a state element with anomalies x' is (Bishop et al.
!> 2001, Mon. Weather Rev. 129, 420-436; Hunt et al. 2007, Physica D 230, 112-126, eqs. 20-25)
!>
!>     increment of the mean   x'^T S (S^T S + (N-1) I)^-1 R^(-1/2) d
!>     analysis anomalies      x' (I + S S^T/(N-1))^(-1/2)
!>
!> The DEnKF (Sakov and Oke 2008, Tellus A 60, 361-371) takes x' - x'^T S (S^T S + (N-1) I)^-1 S^T/2 for the anomalies,
!> the EnKF (Burgers et al. 1998, Mon. Weather Rev. 126, 1719-1724) gives each member the gain of the mean, applied to an
!> innovation of its own. All are functions of a Gram matrix, of S^T S where there are fewer observations than members,
!> else of S S^T, so that the eigenproblem has the order min(p, N). Anomalies are computed as x' plus a correction, with
!> (1 + l/(N-1))^(-1/2) - 1 = -l/((N-1) s (1 + s)), s = (1 + l/(N-1))^(1/2), which does not cancel. Where the condition
!> number allows (nearly always), both functions are evaluated on the tridiagonal form of the Gram matrix by
!> pl_inverse_root at a tenth of the cost of eigenvalues; else by eigenvalues.
module pl_transform_etkf
   use pl_ensemble_block, only: multiply_add, multiply_add_transposed
   use pl_error, only: error_state, error_type, raise_error
   use pl_inverse_root, only: inverse_root_type
   use pl_kinds, only: rk
   use pl_symmetric_eigen, only: eigen_type, vector_lanes
   implicit none (type, external)
   private
   public :: gram_members, gram_observations, kind_denkf, kind_enkf, kind_etkf, spectral_factors, transform_type

   integer, parameter :: kind_etkf = 1  !! symmetric square root
   integer, parameter :: kind_denkf = 2 !! half the gain for the anomalies
   integer, parameter :: kind_enkf = 3  !! perturbed observations

   !> Transform of one local domain; the work space is used again for the next one.
   type :: transform_type
      integer :: kind = kind_etkf                !! one of the kinds above
      integer :: nmember = 0                     !! members N
      integer :: nobs = 0                        !! observations p of this domain
      logical :: by_observation = .false.        !! whether the Gram matrix is p x p
      real(rk), allocatable :: anomalies(:, :)   !! S, (nmember, p), filled by the caller [1]
      real(rk), allocatable :: innovations(:)    !! R^(-1/2) d, (p), filled by the caller [1]
      real(rk), allocatable :: perturbed(:, :)   !! of each member with its noise, (nmember, p), by the caller for EnKF [1]
      real(rk), allocatable :: projected(:)      !! S R^(-1/2) d, (nmember), where the Gram matrix is N x N [1]
      real(rk), allocatable :: gain(:)           !! 1/(N-1+l) [1]
      real(rk), allocatable :: shrink(:)         !! factor of the correction of anomalies [1]
      real(rk), allocatable :: block(:, :)       !! (vector_lanes, order), vectors in spectral space
      real(rk), allocatable :: gains(:, :)       !! (vector_lanes, p), of the EnKF [unit of state]
      logical :: by_eigenvalues = .false.        !! whether the condition number asks for eigenvalues
      type(eigen_type) :: eigen                  !! the factorised Gram matrix
      type(inverse_root_type) :: root            !! functions of its tridiagonal form
   contains
      procedure :: create => transform_create
      procedure :: reserve => transform_reserve
      procedure :: factorise => transform_factorise
      procedure :: apply => transform_apply
   end type transform_type

contains

   !> Allocate work space for `nmember` members.
   subroutine transform_create(self, kind, nmember, error)
      class(transform_type), intent(inout) :: self
      integer, intent(in) :: kind                         !! one of the kinds above
      integer, intent(in) :: nmember                      !! members [1]
      type(error_type), allocatable, intent(out) :: error !! not enough memory
      self%kind = kind
      self%nmember = nmember
      allocate (self%gain(nmember), self%shrink(nmember), self%projected(nmember), self%block(vector_lanes, nmember))
      call self%eigen%create(nmember)
      call self%root%create(nmember)
      call self%reserve(nmember, error)
   end subroutine transform_create

   !> Make room for `nobs` observations; what was there is lost.
   subroutine transform_reserve(self, nobs, error)
      class(transform_type), intent(inout) :: self
      integer, intent(in) :: nobs                         !! observations [1]
      type(error_type), allocatable, intent(out) :: error !! not enough memory
      integer :: stat
      if (allocated(self%innovations)) then
         if (size(self%innovations) >= nobs) return
         deallocate (self%innovations, self%anomalies)
         if (allocated(self%perturbed)) deallocate (self%perturbed, self%gains)
      end if
      allocate (self%innovations(2*nobs), stat=stat)
      if (stat == 0) allocate (self%anomalies(self%nmember, 2*nobs), stat=stat)
      if (stat == 0 .and. self%kind == kind_enkf) allocate (self%perturbed(self%nmember, 2*nobs), stat=stat)
      if (stat == 0 .and. self%kind == kind_enkf) allocate (self%gains(vector_lanes, 2*nobs), stat=stat)
      if (stat /= 0) call raise_error(error, error_state, "not enough memory for the observations of a local analysis; &
         &use a smaller radius")
   end subroutine transform_reserve

   !> Factorise the Gram matrix of the first `nobs` observations.
   subroutine transform_factorise(self, nobs, error)
      class(transform_type), intent(inout) :: self
      integer, intent(in) :: nobs                         !! observations, at least 1 [1]
      type(error_type), allocatable, intent(out) :: error !! the eigenvalue iteration did not converge
      logical :: covered
      integer :: i, n
      self%nobs = nobs
      self%by_observation = nobs < self%nmember
      n = min(nobs, self%nmember)
      if (self%by_observation) then
         call gram_observations(self%nmember, nobs, self%anomalies(:, :nobs), self%eigen%matrix)
      else
         call gram_members(self%nmember, nobs, self%anomalies(:, :nobs), self%eigen%matrix)
         self%projected = 0.0_rk
         do i = 1, nobs
            self%projected = self%projected + self%anomalies(:, i)*self%innovations(i)
         end do
      end if
      call self%eigen%tridiagonalise(n)
      call self%root%factorise(n, real(self%nmember - 1, rk), self%eigen%values, self%eigen%off_diagonal, covered)
      self%by_eigenvalues = .not. covered
      if (covered) return
      call self%eigen%diagonalise(error)
      if (allocated(error)) return
      call spectral_factors(self%nmember, self%by_observation, self%eigen%values(:n), self%gain(:n), self%shrink(:n))
      if (self%kind == kind_etkf) return
      self%shrink(:n) = -0.5_rk*self%gain(:n) ! of the DEnKF; the EnKF has no use for it
      if (.not. self%by_observation) self%shrink(:n) = self%shrink(:n)*self%eigen%values(:n)
   end subroutine transform_factorise

   !> Transform the anomalies of up to `vector_lanes - 1` state elements into deviations from the prior mean.
   !>
   !> The last lane carries the innovations through the same reflections and rotations.
   pure subroutine transform_apply(self, nused, x)
      class(transform_type), intent(inout) :: self
      integer, intent(in) :: nused                             !! state elements in the block
      real(rk), intent(inout) :: x(vector_lanes, self%nmember) !! anomalies in, analysis minus prior mean out [any unit]
      real(rk) :: increment(vector_lanes)
      integer :: k, n
      n = min(self%nobs, self%nmember)
      if (self%kind == kind_enkf) then
         call apply_perturbed(self, nused, x)
         return
      end if
      associate (b => self%block, s => self%anomalies, d => self%innovations)
         if (self%by_observation) then
            b(:, :n) = 0.0_rk
            call multiply_add(self%nmember, n, x, s(:, :n), b(:, :n))
            b(vector_lanes, :n) = d(:n)
         else
            b(:, :n) = x
            b(vector_lanes, :n) = self%projected
         end if
         if (self%by_eigenvalues) then
            call update_by_eigenvalues(self, b(:, :n), increment)
         else
            call update_by_poles(self, nused, b(:, :n), increment)
         end if
         if (self%by_observation) then
            do k = 1, self%nmember
               x(:, k) = x(:, k) + increment
            end do
            call multiply_add_transposed(self%nmember, n, b(:, :n), s(:, :n), x)
         else
            do k = 1, n
               x(:, k) = x(:, k) + increment + b(:, k)
            end do
         end if
      end associate
   end subroutine transform_apply

   !> The EnKF: the gain of each state element applied to the innovations of each member.
   pure subroutine apply_perturbed(self, nused, x)
      class(transform_type), intent(inout) :: self
      integer, intent(in) :: nused                             !! state elements in the block
      real(rk), intent(inout) :: x(vector_lanes, self%nmember) !! anomalies in, analysis minus prior mean out [any unit]
      integer :: n
      n = min(self%nobs, self%nmember)
      associate (b => self%block, s => self%anomalies, gain => self%gains(:, :self%nobs))
         gain = 0.0_rk
         if (self%by_observation) then
            call multiply_add(self%nmember, n, x, s(:, :n), gain)
            call solve_block(self, nused, gain)
         else
            b(:, :n) = x
            call solve_block(self, nused, b(:, :n))
            call multiply_add(self%nmember, self%nobs, b(:, :n), s(:, :self%nobs), gain)
         end if
         call multiply_add_transposed(self%nmember, self%nobs, gain, self%perturbed(:, :self%nobs), x)
      end associate
   end subroutine apply_perturbed

   !> Solve with the Gram matrix plus N - 1 for each lane.
   pure subroutine solve_block(self, nused, b)
      class(transform_type), intent(in) :: self
      integer, intent(in) :: nused                             !! lanes with state elements
      real(rk), intent(inout) :: b(vector_lanes, self%eigen%n) !! vectors in, solutions out [any unit]
      real(rk) :: vector(self%eigen%n)
      integer :: i, lane
      if (self%by_eigenvalues) then
         call self%eigen%project(b)
         do i = 1, self%eigen%n
            b(:, i) = self%gain(i)*b(:, i)
         end do
         call self%eigen%expand(b)
         return
      end if
      call self%eigen%reflect_in(b)
      do lane = 1, nused
         vector = b(lane, :)
         call self%root%solve(vector)
         b(lane, :) = vector
      end do
      call self%eigen%reflect_out(b)
   end subroutine solve_block

   !> Mean increments and corrections of anomalies from the eigenvalues.
   pure subroutine update_by_eigenvalues(self, b, increment)
      class(transform_type), intent(in) :: self
      real(rk), intent(inout) :: b(vector_lanes, self%eigen%n) !! vectors in, corrections out [unit of state]
      real(rk), intent(out) :: increment(vector_lanes)         !! increments of the mean [unit of state]
      integer :: i
      call self%eigen%project(b)
      increment = 0.0_rk
      do i = 1, self%eigen%n
         increment = increment + b(:, i)*(self%gain(i)*b(vector_lanes, i))
         b(:, i) = b(:, i)*self%shrink(i)
      end do
      call self%eigen%expand(b)
   end subroutine update_by_eigenvalues

   !> Mean increments and corrections of anomalies from the tridiagonal form.
   pure subroutine update_by_poles(self, nused, b, increment)
      class(transform_type), intent(inout) :: self
      integer, intent(in) :: nused                             !! lanes with state elements
      real(rk), intent(inout) :: b(vector_lanes, self%eigen%n) !! vectors in, corrections out [unit of state]
      real(rk), intent(out) :: increment(vector_lanes)         !! increments of the mean [unit of state]
      real(rk) :: vector(self%eigen%n)
      integer :: i, lane, n
      n = self%eigen%n
      call self%eigen%reflect_in(b)
      vector = b(vector_lanes, :)
      call self%root%solve(vector)
      increment = 0.0_rk
      do i = 1, n
         !$omp simd
         do lane = 1, vector_lanes
            increment(lane) = increment(lane) + b(lane, i)*vector(i)
         end do
      end do
      do lane = 1, nused
         vector = b(lane, :)
         if (self%kind == kind_denkf) then
            call self%root%solve(vector)
            vector = -0.5_rk*vector
         else
            call self%root%correct(vector)
         end if
         if (.not. self%by_observation) then
            vector = tridiagonal_product(n, self%eigen%values, self%eigen%off_diagonal, vector)
         end if
         b(lane, :) = vector
      end do
      call self%eigen%reflect_out(b)
   end subroutine update_by_poles

   !> Product of a symmetric tridiagonal matrix and a vector.
   pure function tridiagonal_product(n, diagonal, off_diagonal, x) result(y)
      integer, intent(in) :: n                !! order [1]
      real(rk), intent(in) :: diagonal(:)     !! (n) [1]
      real(rk), intent(in) :: off_diagonal(:) !! (n), zero in the last element [1]
      real(rk), intent(in) :: x(n)            !! vector [any unit]
      real(rk) :: y(n)                        !! product [as x]
      integer :: i
      do i = 1, n
         y(i) = diagonal(i)*x(i)
      end do
      do i = 1, n - 1
         y(i) = y(i) + off_diagonal(i)*x(i + 1)
         y(i + 1) = y(i + 1) + off_diagonal(i)*x(i)
      end do
   end function tridiagonal_product

   !> Functions of the eigenvalues that make the update.
   pure subroutine spectral_factors(nmember, by_observation, values, gain, shrink)
      integer, intent(in) :: nmember        !! members [1]
      logical, intent(in) :: by_observation !! whether the eigenvalues are those of S^T S
      real(rk), intent(in) :: values(:)     !! eigenvalues of the Gram matrix [1]
      real(rk), intent(out) :: gain(:)      !! 1/(N-1+l) [1]
      real(rk), intent(out) :: shrink(:)    !! (1/s - 1), over l for S^T S [1]
      real(rk) :: degrees, floor_value, s
      integer :: i
      degrees = real(nmember - 1, rk)
      ! eigenvalues below the rounding of the largest are those of a singular matrix (duplicate observations)
      floor_value = real(size(values), rk)*epsilon(1.0_rk)*maxval(values)
      do i = 1, size(values)
         if (values(i) > floor_value) then
            s = sqrt(1.0_rk + values(i)/degrees)
            gain(i) = 1.0_rk/(degrees + values(i))
            shrink(i) = -1.0_rk/(degrees*s*(1.0_rk + s))
            if (.not. by_observation) shrink(i) = shrink(i)*values(i)
         else ! S u = 0 within rounding: no information along u
            gain(i) = 0.0_rk
            shrink(i) = 0.0_rk
         end if
      end do
   end subroutine spectral_factors

   !> Gram matrix S S^T of the members; both triangles, whose whole columns vectorise better than half.
   pure subroutine gram_members(nmember, nobs, s, matrix)
      integer, intent(in) :: nmember             !! members [1]
      integer, intent(in) :: nobs                !! observations [1]
      real(rk), intent(in) :: s(nmember, nobs)   !! scaled anomalies [1]
      real(rk), intent(inout) :: matrix(:, :)    !! at least (nmember, nmember) [1]
      integer :: i, j, k
      matrix(:nmember, :nmember) = 0.0_rk
      do i = 1, nobs - 3, 4
         do j = 1, nmember
            !$omp simd
            do k = 1, nmember
               matrix(k, j) = matrix(k, j) + ((s(k, i)*s(j, i) + s(k, i + 1)*s(j, i + 1)) + &
                                              (s(k, i + 2)*s(j, i + 2) + s(k, i + 3)*s(j, i + 3)))
            end do
         end do
      end do
      do i = nobs - modulo(nobs, 4) + 1, nobs
         do j = 1, nmember
            !$omp simd
            do k = 1, nmember
               matrix(k, j) = matrix(k, j) + s(k, i)*s(j, i)
            end do
         end do
      end do
   end subroutine gram_members

   !> Gram matrix S^T S of the observations; the lower triangle, mirrored.
   pure subroutine gram_observations(nmember, nobs, s, matrix)
      integer, intent(in) :: nmember             !! members [1]
      integer, intent(in) :: nobs                !! observations [1]
      real(rk), intent(in) :: s(nmember, nobs)   !! scaled anomalies [1]
      real(rk), intent(inout) :: matrix(:, :)    !! at least (nobs, nobs) [1]
      real(rk) :: transposed(nobs, nmember)
      integer :: i, j, k
      transposed = transpose(s)
      matrix(:nobs, :nobs) = 0.0_rk
      do j = 1, nobs
         do k = 1, nmember - 1, 2
            do i = j, nobs
               matrix(i, j) = matrix(i, j) + (transposed(i, k)*s(k, j) + transposed(i, k + 1)*s(k + 1, j))
            end do
         end do
         if (modulo(nmember, 2) == 1) then
            do i = j, nobs
               matrix(i, j) = matrix(i, j) + transposed(i, nmember)*s(nmember, j)
            end do
         end if
      end do
      do j = 2, nobs
         do i = 1, j - 1
            matrix(i, j) = matrix(j, i)
         end do
      end do
   end subroutine gram_observations

end module pl_transform_etkf
