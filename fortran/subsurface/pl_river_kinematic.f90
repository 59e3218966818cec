!> A reach as a kinematic wave: Manning's equation in a rectangular channel.
!>
!>     dS/dt = inflow - Q,   Q = (sqrt(slope)/n) A**(5/3) P**(-2/3),   A = w h = S/L,   P = w + 2 h
!>
!> (Lighthill and Whitham 1955; Chow, Maidment and Mays 1988, Applied Hydrology, section 9.3), upwind in space and
!> backward Euler in time. Upstream comes first, so that a reach is one equation in h; it is monotonic and has one root
!> between 0 and all the water, for any step. With u = h**(1/3) it is a convex polynomial times P**(-2/3): Newton's
!> method from above converges without overshooting. It starts from all the water: with the
!> Courant number C there, u is at most (1 + C)**(-1/5) of that, and close to it. The outflow is booked before the
!> storage: water closes to round-off.
!>
!> Only + - * / and sqrt are used: a member has the same bits whatever stands beside it.
module pl_river_kinematic
   use pl_kinds, only: rk
   implicit none (type, external)
   private
   public :: route_kinematic

   integer, parameter :: most_iterations = 50                !! Newton steps; three or four are usual
   real(rk), parameter :: tolerance = sqrt(epsilon(1.0_rk))  !! change of u after which its error is round-off [1]

contains

   !> Cube roots of numbers that are not negative, from square roots and Halley's method.
   pure subroutine cube_roots(n, x, root)
      integer, intent(in) :: n         !! how many
      real(rk), intent(in) :: x(n)     !! numbers [any]
      real(rk), intent(out) :: root(n) !! their roots
      real(rk) :: one, two, three, four, y
      integer :: i
      do i = 1, n
         y = max(x(i), tiny(y))
         one = sqrt(sqrt(y)) ! x**(1/3) is x**(1/4 + 1/16 + 1/64 + 1/256 + ...); off by 10 % at most from 1e-30 to 1e30
         two = sqrt(sqrt(one))
         three = sqrt(sqrt(two))
         four = sqrt(sqrt(three))
         one = closer_root(closer_root(closer_root(one*two*three*four, y), y), y)
         root(i) = merge(one, 0.0_rk, x(i) > 0.0_rk)
      end do
   end subroutine cube_roots

   !> A step of Halley's method for the cube root: it cubes the relative error.
   elemental real(rk) function closer_root(root, x)
      real(rk), intent(in) :: root !! estimate
      real(rk), intent(in) :: x    !! number whose root is wanted, > 0
      real(rk) :: cube
      cube = root*root*root
      closer_root = root*(cube + 2.0_rk*x)/(2.0_rk*cube + x)
   end function closer_root

   !> Advance a reach of all members of a block.
   pure subroutine route_kinematic(n, dt, length, width, conveyance, inflow, storage, outflow, converged)
      integer, intent(in) :: n                !! members
      real(rk), intent(in) :: dt              !! step [s]
      real(rk), intent(in) :: length          !! of the reach [m]
      real(rk), intent(in) :: width           !! of the channel [m]
      real(rk), intent(in) :: conveyance      !! sqrt(slope)/n of Manning [m1/3 s-1]
      real(rk), intent(in) :: inflow(n)       !! within the step [m3]
      real(rk), intent(inout) :: storage(n)   !! [m3]
      real(rk), intent(out) :: outflow(n)     !! within the step [m3]
      logical, intent(out) :: converged       !! whether Newton's method ended for all members
      real(rk) :: water(n), u(n), root(n), moved(n), depth(n), across(1)
      real(rk) :: flat, strength, square, perimeter, passed, gain, change
      integer :: i, iteration
      call cube_roots(1, [width*width], across)
      flat = width*length
      strength = dt*conveyance*width*across(1) ! dt sqrt(slope)/n w**(5/3)
      do i = 1, n
         water(i) = storage(i) + inflow(i)
         depth(i) = water(i)/flat
      end do
      call cube_roots(n, depth, u)
      do i = 1, n
         depth(i) = width + 2.0_rk*depth(i)
      end do
      call cube_roots(n, depth, root)
      do i = 1, n
         change = sqrt(sqrt(sqrt(sqrt(1.0_rk + strength*u(i)*u(i)/(flat*root(i)*root(i))))))
         square = sqrt(sqrt(sqrt(sqrt(change))))
         moved(i) = merge(1.0_rk, 0.0_rk, u(i) > 0.0_rk)
         u(i) = u(i)/(change*change*change*square*square*square) ! (1 + C)**(3/16 + 3/256), a little above the root
      end do
      do iteration = 1, most_iterations
         if (.not. any(moved > tolerance)) exit
         do i = 1, n
            square = u(i)*u(i)
            perimeter = width + 2.0_rk*square*u(i)
            root(i) = merge(closer_root(root(i), perimeter), root(i), moved(i) > tolerance) ! converges along with u
            passed = strength*square*square/(root(i)*root(i)) ! outflow over u
            gain = 3.0_rk*flat*square + passed*(5.0_rk - 4.0_rk*square*u(i)/perimeter)
            change = (flat*square*u(i) + passed*u(i) - water(i))/merge(gain, 1.0_rk, moved(i) > tolerance)
            change = merge(change, 0.0_rk, moved(i) > tolerance)
            u(i) = u(i) - change
            moved(i) = abs(change)/merge(u(i), 1.0_rk, moved(i) > tolerance)
         end do
      end do
      converged = .not. any(moved > tolerance)
      do i = 1, n
         square = u(i)*u(i)
         perimeter = width + 2.0_rk*square*u(i)
         root(i) = closer_root(root(i), perimeter)
         outflow(i) = min(strength*square*square*u(i)/(root(i)*root(i)), water(i))
         storage(i) = water(i) - outflow(i)
      end do
   end subroutine route_kinematic

end module pl_river_kinematic
